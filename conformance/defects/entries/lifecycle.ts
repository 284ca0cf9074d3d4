/** The life of processes and what the kernel does for them: ends, waits, descriptors, signals, devices, sweeps. */
import type { Defect } from "../defect.js";

export const lifecycle: readonly Defect[] = [];

/** Sharing, faults and frames: what lazy copies and protections may get wrong. */
import type { Defect } from "../defect.js";

export const sharing: readonly Defect[] = [];

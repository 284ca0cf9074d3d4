/**
 * What the suite asks of an implementation: to start, to take steps, and to say what there is to be seen. The specification's
 * levels answer it, too, so that everything can be compared with everything.
 *
 * Shapes are the specification's; nothing of its code is here.
 */
import type { Capability, Granule } from "../spec/cheri/index.js";
import type { Config } from "../spec/sfork/config.js";
import type { Counters } from "../spec/sfork/machine.js";
import type { Observation } from "../spec/sfork/observation.js";
import type { Protection, Step } from "../spec/sfork/operation.js";

/** What a step observed, and who took it. */
export interface Observed {
  readonly observation: Observation;
  /** Signals that the thread took before its step, in order. */
  readonly signals: readonly number[];
  /** Creation ordinals; undefined where nobody could take the step. */
  readonly thread: number | undefined;
  readonly process: number | undefined;
}

/** A page as its process sees it once everything in it is resolved, whatever its protection. */
export interface PageView {
  readonly granules: readonly Granule[];
  readonly protection: Protection;
}

export interface ProcessView {
  readonly slot: number;
  /** By index in its region; undefined where nothing is mapped. */
  readonly pages: readonly (PageView | undefined)[];
  /** Capabilities that the kernel holds for it: of handlers by ascending signal, code before data, then the alternate stack. */
  readonly held: readonly Capability[];
}

export interface View {
  /** Live processes, by creation ordinal. */
  readonly processes: ReadonlyMap<number, ProcessView>;
  /** General registers of live threads and, behind the last, `pcc`; by creation ordinal. */
  readonly threads: ReadonlyMap<number, readonly Capability[]>;
  /** Pages of shared segments. */
  readonly segments: readonly (readonly Granule[])[];
  /** Messages in flight, by channel. */
  readonly channels: readonly (readonly Capability[])[];
}

export interface Implementation {
  /** As in `sfork run --diff`: `fast`, `spec`. */
  readonly name: string;
  /** A machine at its start. Throws a `RangeError` for a configuration that it has no place for. */
  readonly reset: (config: Config) => void;
  /** Take a step. What it observed can be asked for until the next one. */
  readonly step: (step: Step) => void;
  readonly observed: () => Observed;
  readonly view: () => View;
  /** By process, since its start. */
  readonly counters: () => readonly Counters[];
  /** What is wrong in its own structures: mappings counted (INV-8), frames promised (INV-13); one line each. */
  readonly check: () => readonly string[];
}

/** What a generator is asked for, and what it gives. */
import type { FormatName } from "../../spec/cheri/index.js";
import type { Config, StrategyName } from "../../spec/sfork/config.js";
import type { OperationName, Step } from "../../spec/sfork/operation.js";
import type { CornerCaseName } from "../corner-cases.js";
import type { Program } from "../program/program.js";

/**
 * Which programs: `full`, any operation with any operands; `raw-bytes`, bytes of pointers are read often, so that a
 * comparison with copy-on-pointer-access ends early (REF-2); `oblivious`, nothing that a step shows depends on where a
 * region lies (REF-3), and no bytes of pointers are read; `posix`, what a real kernel can execute, and does alike.
 */
export type Profile = "oblivious" | "raw-bytes" | "full" | "posix";

/** What configurations may have; what is left out has no limit. */
export interface GeometryLimits {
  /** Sizes of pages, in bytes. */
  readonly page?: readonly number[];
  /** Most pages of a region. */
  readonly pages?: number;
  /** Most live processes and zombies. */
  readonly processes?: number;
}

export interface GenerateOptions {
  /** Most steps of a program (60). Most programs have nearly as many, some only a few. */
  readonly steps?: number;
  readonly formats?: readonly FormatName[];
  /** Those of one address space, by default; in the posix profile the one of many. */
  readonly strategies?: readonly StrategyName[];
  /** `mixed`, the default, draws one of the profiles but `posix` for each program. */
  readonly profile?: Profile | "mixed";
  /** Operations that programs may have; all, by default. */
  readonly operations?: ReadonlySet<OperationName>;
  readonly limits?: GeometryLimits;
  /** Each program leaves out half of the templates and operations, another half each time; so it does by default, but for a search. */
  readonly swarm?: boolean;
  /** Corner cases whose templates every second template is one of: for a search that knows what it looks for. */
  readonly favour?: readonly CornerCaseName[];
}

/** A program with everything that went into it. */
export interface GeneratedProgram extends Program {
  /** Complete and legal. */
  readonly config: Config;
  readonly steps: readonly Step[];
  readonly profile: Profile;
  /** Templates that were woven in, in order; what a program really reaches is for `corner-cases.ts` to say. */
  readonly templates: readonly CornerCaseName[];
}

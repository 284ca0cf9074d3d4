/**
 * A requirement on fork, as POSIX and Linux have it: what it says, whether the model has it, and how a program shows that it
 * was exercised.
 */
import type { OperationName } from "../../spec/sfork/operation.js";
import type { Detector } from "./detector.js";

/** `core` and `second` were chosen to be modelled, in this order; `other` rows are where they follow from the rest. */
export type Tier = "core" | "second" | "other";

interface Modelled {
  /** Rules of `docs/rules.md` that make it so: rule and case. */
  readonly rules: readonly string[];
  /** Operations that a program needs to see it. */
  readonly operations: readonly OperationName[];
  /** What of the requirement the model has not; everything is modelled where it is left out. */
  readonly without?: string;
  /** What a program has to do for the requirement to count as exercised. */
  readonly counts: string;
  readonly exercised: Detector;
}

interface Row {
  /** As in the project's list of requirements: `M03`. */
  readonly id: string;
  readonly requirement: string;
  readonly tier: Tier;
}

export type ModelledRequirement = Row & Modelled;

export type Requirement = ModelledRequirement | (Row & { readonly reason: string });

export const isModelled = (row: Requirement): row is ModelledRequirement => "exercised" in row;

/** Requirements on one object, in the order of their numbers. */
export interface Section {
  readonly title: string;
  readonly rows: readonly Requirement[];
}

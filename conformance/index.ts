/**
 * The conformance kit: judge an implementation of your own beside the specification.
 *
 * docs/library.md shows how. `assertConforms` belongs into a test; `check` tells what it found; `replay` shows a finding
 * again. Errors of a caller are `InputError`s of one line.
 */
export type { Implementation, Observed, PageView, ProcessView, View } from "../impl/implementation.js";
export { assertConforms, NonConformance, type AssertOptions } from "./check/assert.js";
export type { Create } from "./check/campaign.js";
export type { CompleteProgram, Finding, FindingKind } from "./check/finding.js";
export type { CampaignOptions, ProgramOptions } from "./check/options.js";
export { check, type CheckOptions, type CheckResult, type Regression, type Reported } from "./check/own.js";
export { replay, type Replayed } from "./check/replay.js";
export { printStory } from "./check/story.js";
export { InputError } from "./errors.js";
export { anyOperation } from "./program/arbitrary.js";
export { programs } from "./program/generated.js";
export { completeProgram, readProgram } from "./program/given.js";
export { printJsonProgram } from "./program/json.js";
export { printTextProgram } from "./program/print.js";
export type { Program, ProgramStep } from "./program/program.js";
export { claimNames, refute, type Refutation } from "./refute/refute.js";
export type { Shows } from "./shrink/shows.js";
export { shrink, type Shrunk, type ShrinkOptions } from "./shrink/shrink.js";

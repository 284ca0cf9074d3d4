/**
 * The machine: processes, pages, fork in one address space, and the invariants that hold after every step.
 *
 * docs/machine.md says how it is built, and in which order to read it.
 */
export { completeConfig, type Config, type IllegalConfig, type StrategyName } from "./config.js";
export {
  checkedStep,
  invariants,
  start as startChecked,
  violations as checkInvariants,
  type Checked,
  type CheckedStep,
} from "../invariants/check.js";
export type { Violation } from "../invariants/places.js";
export type { Transition } from "../invariants/transition.js";
export { initial, type Machine } from "./machine.js";
export type { Observation } from "./observation.js";
export { operations, type Operation, type OperationName, type Step } from "./operation.js";
export { run, runFrom, step } from "./step.js";
export { strategies } from "./laws.js";
export type { Strategy } from "./strategy.js";
export { viewRegion, type ViewPage } from "../invariants/view.js";

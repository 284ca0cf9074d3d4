/** The optimised implementation, and ways to be wrong. */
import { createFast } from "../../../impl/fast/index.js";
import type { Implementation, Observed, View } from "../../../impl/implementation.js";
import type { Config } from "../../../spec/sfork/config.js";
import type { Capability } from "../../../spec/cheri/index.js";
import type { OperationName } from "../../../spec/sfork/operation.js";

type Create = (config: Config) => Implementation;

/** With members replaced. */
export const wrong =
  (change: (right: Implementation) => Partial<Implementation>): Create =>
  (config) => {
    const right = createFast(config);
    return { ...right, ...change(right) };
  };

/** What one operation observes is replaced. */
const observing = (op: OperationName, change: (seen: Observed) => Observed): Create =>
  wrong(({ step, observed }) => {
    let last: OperationName | undefined;
    return {
      step: (next) => {
        last = next.operation.op;
        step(next);
      },
      observed: () => (last === op ? change(observed()) : observed()),
    };
  });

/** `li` observes one more than it should. */
export const oneMore = observing("li", (seen) =>
  seen.observation.kind === "integer"
    ? { ...seen, observation: { kind: "integer", integer: seen.observation.integer + 1n } }
    : seen,
);

export const viewing = (change: (view: View) => View): Create => wrong(({ view }) => ({ view: () => change(view()) }));

/** A view with registers of one thread replaced. */
export const withRegisters = (
  view: View,
  thread: number,
  change: (register: Capability, index: number) => Capability,
): View => ({
  ...view,
  threads: new Map(
    Array.from(view.threads, ([key, registers]) => [key, key === thread ? registers.map(change) : registers]),
  ),
});

/** The first thread of the first child has no capability in `c1`. */
export const forgetful = viewing((view) =>
  withRegisters(view, 1, (register, index) => (index === 1 ? { ...register, tag: false } : register)),
);

/** One copy too many is counted for the first child. */
export const miscounting = wrong(({ counters }) => ({
  counters: () => counters().map((one, process) => (process === 1 ? { ...one, copies: one.copies + 1 } : one)),
}));

/** `fork` throws. */
export const crashing = wrong(({ step }) => ({
  step: (next) => {
    if (next.operation.op === "fork") throw new TypeError("no region\nat all");
    step(next);
  },
}));

/** The latitude: what an implementation may choose otherwise is followed, and nothing else. */
import { describe, expect, test } from "vitest";
import { judgeBeside } from "../../../conformance/check/beside.js";
import { latitude } from "../../../conformance/check/latitude.js";
import { choicesOf } from "../../../conformance/program/operation-codec.js";
import { createFast } from "../../../impl/fast/index.js";
import type { Implementation, Observed } from "../../../impl/implementation.js";
import type { Config } from "../../../spec/sfork/config.js";
import { operations, type OperationName, type Step } from "../../../spec/sfork/operation.js";
import { program } from "./support.js";

/** The optimised implementation, asked for something else than the program asks for. */
const choosing =
  (change: (step: Step) => Step) =>
  (config: Config): Implementation => {
    const right = createFast(config);
    return {
      ...right,
      step: (step) => {
        right.step(change(step));
      },
    };
  };

const observing =
  (change: (seen: Observed) => Observed) =>
  (config: Config): Implementation => {
    const right = createFast(config);
    return { ...right, observed: () => change(right.observed()) };
  };

const forks = program(
  "config strategy=copa processes=4 slots=4",
  "0: storecap c1, 0x40(c1)",
  "0: fork c7",
  "1: loadcap c8, 0x40(c1)",
  "1: fork c9",
  "2: exit 3",
  "1: wait c9",
  "1: exit 4",
  "0: wait c9",
);

test("every choice that an operation has is known", () => {
  const names = Object.keys(operations) as readonly OperationName[];
  const all = new Set(names.flatMap((name) => choicesOf(name)));
  expect([...all].sort()).toEqual(Object.keys(latitude.choices).sort());
});

describe("followed", () => {
  test("another slot, and another pid", () => {
    const create = choosing((step) =>
      step.operation.op === "fork" && step.actor === 0
        ? { ...step, operation: { ...step.operation, slot: 3, pid: 77 } }
        : step,
    );
    expect(judgeBeside(forks, create, { full: true })).toMatchObject({ steps: 8, choices: 1, finding: undefined });
    expect(judgeBeside(forks, createFast)).toMatchObject({ steps: 8, choices: 0, finding: undefined });
  });

  test("another zombie", () => {
    const waits = program("config strategy=coa", "0: fork c7", "0: fork c8", "2: exit 2", "1: exit 1", "0: wait c9");
    const create = choosing((step) =>
      step.operation.op === "wait" ? { ...step, operation: { ...step.operation, reap: 1 } } : step,
    );
    expect(judgeBeside(waits, create)).toMatchObject({ steps: 5, choices: 1, finding: undefined });
  });

  test("another error that applies", () => {
    // No such descriptor, and no right to load what should be written: either may be reported.
    const write = program("config strategy=coa", "0: candperm c8, c1, none", "0: write 9, c8, 4");
    const create = observing((seen) =>
      seen.observation.kind === "error" && seen.observation.allowed.includes("EFAULT")
        ? { ...seen, observation: { ...seen.observation, error: "EFAULT" } }
        : seen,
    );
    expect(judgeBeside(write, createFast)).toMatchObject({ choices: 0, finding: undefined });
    expect(judgeBeside(write, create)).toMatchObject({ steps: 2, choices: 1, finding: undefined });
  });
});

describe("not followed", () => {
  test("a slot that is chosen, and something else that is wrong after it", () => {
    const create = (config: Config): Implementation => {
      const right = choosing((step) =>
        step.operation.op === "fork" && step.actor === 0
          ? { ...step, operation: { ...step.operation, slot: 3 } }
          : step,
      )(config);
      return {
        ...right,
        observed: () => {
          const seen = right.observed();
          return seen.observation.kind === "process" ? { ...seen, observation: { kind: "none" } } : seen;
        },
      };
    };
    const { finding } = judgeBeside(forks, create);
    expect(finding).toMatchObject({ kind: "observation", rule: "REF-4", step: 5, actual: "none" });
    // The program says which slot was chosen, so that it shows the same again.
    expect(finding?.program.steps[1]?.operation).toMatchObject({ op: "fork", slot: 3 });
  });

  test("an error that does not apply", () => {
    const close = program("config strategy=coa", "0: close 9");
    const create = observing((seen) =>
      seen.observation.kind === "error" ? { ...seen, observation: { ...seen.observation, error: "EPERM" } } : seen,
    );
    expect(judgeBeside(close, create).finding).toMatchObject({ kind: "observation", step: 0 });
  });

  test("a slot in which somebody lives", () => {
    const create = (config: Config): Implementation => {
      const right = createFast(config);
      return {
        ...right,
        view: () => {
          const view = right.view();
          return {
            ...view,
            processes: new Map(Array.from(view.processes, ([key, one]) => [key, { ...one, slot: 0 }])),
          };
        },
      };
    };
    const fork = program("config strategy=coa", "0: fork c7", "0: li c8, 1");
    expect(judgeBeside(fork, create).finding).toMatchObject({ kind: "view", where: "P1 slot" });
  });
});

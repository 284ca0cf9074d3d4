/** What an observation counts as. */
import { expect, test } from "vitest";
import { createCoverage } from "../../conformance/coverage.js";
import type { Observation } from "../../spec/sfork/observation.js";

test("what operations on kernel objects give back counts as success, what they refuse as failure", () => {
  const seen: readonly Observation[] = [
    { kind: "bytes", bytes: [] },
    { kind: "descriptor", descriptor: 3 },
    { kind: "descriptors", descriptors: [3, 4] },
    { kind: "set", members: [] },
    { kind: "process", process: 1, status: { signalled: 9 } },
    { kind: "error", error: "EBADF", allowed: ["EBADF", "EFAULT"] },
    { kind: "would-block" },
    { kind: "unsupported" },
  ];
  const coverage = createCoverage({});
  const step = { delivery: undefined, transition: undefined };
  for (const observation of seen) coverage.step("read", { ...step, observation, acted: true });
  // A process that is stopped: the operation itself does not block.
  coverage.step("read", { ...step, observation: { kind: "would-block" }, acted: false });
  expect(coverage.result().operations["read"]).toEqual({
    succeeded: 5,
    failed: { EBADF: 1, "would-block": 1 },
    trapped: {},
    discarded: { unsupported: 1, "would-block": 1 },
  });
});

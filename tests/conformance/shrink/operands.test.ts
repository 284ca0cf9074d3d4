/** Plainer operations: what each kind of operand comes to, and that no way to plainer ones is endless. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generate } from "../../../conformance/generate/generate.js";
import { printOperation } from "../../../conformance/program/print.js";
import { plainerOperations, plainerSteps } from "../../../conformance/shrink/operands.js";
import type { Shows } from "../../../conformance/shrink/shows.js";
import { permissionWords } from "../../../spec/cheri/index.js";
import type { Operation } from "../../../spec/sfork/operation.js";
import { program } from "../check/support.js";

/** The steps as plain as they are while `shows` holds. */
const plainest = (shows: Shows, ...lines: readonly string[]): readonly string[] =>
  plainerSteps(program(...lines), shows).steps.map(({ actor, operation }) => `${actor}: ${printOperation(operation)}`);

/** The operation of a line as plain as it is while it keeps its name. */
const plain = (line: string): string | undefined => {
  const [operation] = program(line).steps.map((step) => step.operation);
  return plainest(({ steps }) => steps[0]?.operation.op === operation?.op, line)[0];
};

describe("an operation that keeps its name", () => {
  test.each([
    ["csetbounds c8, c5, 0x40", "csetbounds c8, c1, 0x0"],
    ["cincoffset c8, c5, c9", "cincoffset c8, c1, 0x0"],
    ["cseal c8, c5, c4", "cseal c8, c1, c1"],
    ["storecap c8, -0x20(c9)", "storecap c1, 0x0(c1)"],
    ["store.w c3, 0x77(c12)", "store.w 0x0, 0x0(c1)"],
    ["mmap c8, 0x400, x", "mmap c8, 0x0, rw"],
    ["madvise c5, 0x100, wipeonfork", "madvise c1, 0x0, dontfork"],
    ["fork c7 slot=3 pid=9", "fork c7"],
    ["wait c8, 2 reap=1", "wait c8"],
    ["open /d/abc, write create cloexec", "open a, none"],
    ["read 5, c9, 0x10", "read 0, c1, 0x0"],
    ["lseek 3, 0x10, end", "lseek 0, 0x0, set"],
    ["sigaction 0x11, handler c5, c6", "sigaction 0x0, default"],
    ["sigmask 5 11 17", "sigmask none"],
    ["kill -P3, 0xf", "kill P0, 0x0"],
    ["kill 0, 0xf", "kill P0, 0x0"],
    ["call_enter write 3, c8, 0x5", "call_enter write 0, c1, 0x0"],
    ["virtq_submit c8, 0x5, w", "virtq_submit c1, 0x0, r"],
  ])("%s comes to %s", (line, small) => {
    expect(plain(`0: ${line}`)).toBe(`0: ${small}`);
  });

  test("keeps the register that it writes, which later steps know", () => {
    expect(plain("0: li c9, 0x5")).toBe("0: li c9, 0x0");
  });
});

test("rights are given back that do not matter, all of them at best", () => {
  const mask = "0: candperm c8, c5, load global";
  expect(plain(mask)).toBe(`0: candperm c8, c1, ${permissionWords.join(" ")}`);
  const lacking: Shows = ({ steps }) =>
    steps.every(({ operation }) => operation.op === "candperm" && !operation.words.includes("store"));
  const most = permissionWords.filter((word) => word !== "store");
  expect(plainest(lacking, mask)).toEqual([`0: candperm c8, c1, ${most.join(" ")}`]);
});

test("a capability is copied where it need not be derived, and a number named where it need not be computed", () => {
  const writes: Shows = ({ steps }) => {
    const [first, second] = steps.map(({ operation }) => ("cd" in operation ? operation.cd : undefined));
    return first === 8 && second === 9;
  };
  expect(plainest(writes, "0: cbuildcap c8, c5, c6", "0: csub c9, c3, c2")).toEqual([
    "0: cmove c8, c1",
    "0: li c9, 0x0",
  ]);
  expect(plainest(writes, "0: mmap c8, 0x100, rw", "0: load.b c9, 0(c2)")).toEqual([
    "0: cmove c8, c1",
    "0: li c9, 0x0",
  ]);
});

test("an earlier thread takes the step, where it may", () => {
  const shows: Shows = ({ steps }) => steps.every(({ actor, operation: { op } }) => op === "burn" && actor !== 0);
  expect(plainest(shows, "3: burn", "1: burn")).toEqual(["1: burn", "1: burn"]);
});

test("no way to plainer operations is endless, whichever is taken", () => {
  const walk = (start: Operation, choose: (count: number) => number): number => {
    let [operation, steps]: [Operation, number] = [start, 0];
    for (; steps < 1000; steps += 1) {
      const candidates = plainerOperations(operation);
      const next = candidates[choose(candidates.length)];
      if (next === undefined) return steps;
      operation = next;
    }
    return steps;
  };
  const longest = { first: 0, last: 0 };
  fc.assert(
    fc.property(fc.nat(10_000), fc.infiniteStream(fc.nat()), (index, numbers) => {
      for (const { operation } of generate("plainer", index, { steps: 20, profile: "full" }).steps) {
        longest.first = Math.max(
          longest.first,
          walk(operation, () => 0),
        );
        longest.last = Math.max(
          longest.last,
          walk(operation, (count) => count - 1),
        );
        const random = walk(operation, (count) => (numbers.next().value ?? 0) % Math.max(1, count));
        expect(Math.max(longest.first, longest.last, random)).toBeLessThan(1000);
      }
    }),
    { numRuns: 30 },
  );
  expect(longest.last).toBeGreaterThan(2);
});

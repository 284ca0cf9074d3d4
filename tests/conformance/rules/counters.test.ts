/** Counters around functions of rules. */
import { expect, test } from "vitest";
import { countable, counted, during, takeCounts } from "../../../conformance/rules/counters.js";

const taken = (): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  takeCounts((id, times) => {
    counts[id] = times;
  });
  return counts;
};

test("a function, what a function made, and the functions of an object are counted; a constant is as it was", () => {
  const add = counted("add", "step", (a: number, b: number) => a + b) as (a: number, b: number) => number;
  const make = counted("make", "step", (a: number) => (b: number) => a * b) as (a: number) => (b: number) => number;
  const both = counted("both", "judge", { f: () => 1, g: () => 2 }) as Readonly<Record<"f" | "g", () => number>>;
  const constant = { f: 1 };
  expect(counted("constant", "step", constant)).toBe(constant);
  expect(countable()).toEqual(["add", "make", "both"]);

  // Nobody counts who was not asked to, nor what the other one evaluates.
  expect(add(1, 2)).toBe(3);
  const twice = during("step", () => make(2));
  expect(during("step", () => [add(1, 2), twice(3), twice(4), both.f()])).toEqual([3, 6, 8, 1]);
  expect(during("judge", () => [both.f(), both.g(), add(1, 1)])).toEqual([1, 2, 2]);
  expect(taken()).toEqual({ add: 1, make: 2, both: 2 });
  expect(taken()).toEqual({});
});

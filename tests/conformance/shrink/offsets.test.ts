/** Offsets and pages: places that steps share stay shared, on fewer and smaller pages. */
import { expect, test } from "vitest";
import type { CompleteProgram } from "../../../conformance/check/finding.js";
import { printOperation } from "../../../conformance/program/print.js";
import { nearerOffsets, rescaled } from "../../../conformance/shrink/offsets.js";
import { shrink } from "../../../conformance/shrink/shrink.js";
import type { Shows } from "../../../conformance/shrink/shows.js";
import { program } from "../check/support.js";

const offsetOf = ({ steps }: CompleteProgram, index: number): bigint => {
  const operation = steps[index]?.operation;
  return operation !== undefined && "n" in operation && "immediate" in operation.n ? operation.n.immediate : -1n;
};

const lines = ({ steps }: CompleteProgram): readonly string[] =>
  steps.map(({ operation }) => printOperation(operation));

/** Two stores, of which the second is to the same place as the first, or so much behind it. */
const apart =
  (distance: bigint, least: bigint): Shows =>
  (one) =>
    one.steps.length === 2 && offsetOf(one, 1) - offsetOf(one, 0) === distance && offsetOf(one, 0) >= least;

const stores = (first: string, second: string): CompleteProgram =>
  program("config page=256 pages=12", `0: store.b 0, ${first}(c1)`, `0: store.b 0, ${second}(c1)`);

test("places on other pages are pulled into one page, together", () => {
  // Zero is not asked for: what is left is the offset within the page.
  const small = nearerOffsets(stores("0x224", "0x228"), apart(4n, 0x20n));
  expect(lines(small)).toEqual(["store.b 0x0, 0x24(c1)", "store.b 0x0, 0x28(c1)"]);
});

test("a page in between goes, where two pages are needed", () => {
  const another: Shows = (one) => offsetOf(one, 1) / 0x100n > offsetOf(one, 0) / 0x100n && apart(0x100n, 0x20n)(one);
  const far: Shows = (one) => offsetOf(one, 1) / 0x100n > offsetOf(one, 0) / 0x100n && offsetOf(one, 0) >= 0x20n;
  expect(lines(nearerOffsets(stores("0x124", "0x224"), another))).toEqual([
    "store.b 0x0, 0x24(c1)",
    "store.b 0x0, 0x124(c1)",
  ]);
  expect(lines(nearerOffsets(stores("0x24", "0x324"), far))).toEqual([
    "store.b 0x0, 0x24(c1)",
    "store.b 0x0, 0x124(c1)",
  ]);
});

test("a place that is far away comes near in few candidates", () => {
  let judged = 0;
  // So many pages are needed, and no fewer.
  const shows: Shows = (one) => {
    judged += 1;
    return offsetOf(one, 1) - offsetOf(one, 0) >= 0x12345600n;
  };
  const near = nearerOffsets(stores("0x24", "0x1234567890123424"), shows);
  expect(offsetOf(near, 1)).toBeLessThan(0x12345600n + 0x200n);
  expect(judged).toBeLessThan(5000);
});

test("numbers below zero stay", () => {
  const { steps } = program("0: store.b 1, -0x110(c1)", "0: store.b 1, 0x110(c1)");
  expect(lines({ ...program(), steps: rescaled(steps, 256, 16) })).toEqual([
    "store.b 0x1, -0x110(c1)",
    "store.b 0x1, 0x10(c1)",
  ]);
});

test("smaller pages are tried with the steps' offsets at as many pages as before", () => {
  // The second store is on the page after the first one's, wherever pages end.
  const shows: Shows = (one) => {
    const page = BigInt(one.config.page);
    return one.steps.length === 2 && offsetOf(one, 0) / page === 1n && offsetOf(one, 1) / page === 2n;
  };
  const large = program("config page=4096 pages=8", "0: store.b 1, 0x1010(c1)", "0: store.b 2, 0x2020(c1)");
  const { program: small } = shrink(large, shows);
  expect(small.config.page).toBe(256);
  expect(lines(small)).toEqual(["store.b 0x0, 0x100(c1)", "store.b 0x0, 0x200(c1)"]);
});

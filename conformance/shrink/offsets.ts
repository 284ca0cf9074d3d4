/** Offsets that belong together become smaller together: steps that reach the same place still do. */
import type { Operation, Step } from "../../spec/sfork/operation.js";
import type { CompleteProgram } from "../check/finding.js";
import { settle, type Shows } from "./shows.js";

/** The immediates of an operation, by its operands. */
const immediatesOf = (operation: Operation): readonly (readonly [operand: string, value: bigint])[] =>
  Object.entries(operation).flatMap(
    ([key, value]: readonly [string, unknown]): readonly (readonly [string, bigint])[] =>
      typeof value === "object" && value !== null && "immediate" in value && typeof value.immediate === "bigint"
        ? [[key, value.immediate]]
        : [],
  );

/** The steps with every immediate changed. */
const changed = (steps: readonly Step[], change: (value: bigint) => bigint): readonly Step[] =>
  steps.map((step) => {
    const moved = immediatesOf(step.operation).filter(([, value]) => change(value) !== value);
    if (moved.length === 0) return step;
    const immediates = moved.map(([key, value]) => [key, { immediate: change(value) }] as const);
    return { ...step, operation: { ...step.operation, ...Object.fromEntries(immediates) } };
  });

/** The same offsets in pages of another size: as many pages on, and as far into the page as it reaches. */
export const rescaled = (steps: readonly Step[], from: number, to: number): readonly Step[] =>
  changed(steps, (value) =>
    value < 0n ? value : (value / BigInt(from)) * BigInt(to) + ((value % BigInt(from)) % BigInt(to)),
  );

/** How much nearer what lies from `start` on can be: all the way first, then half of that and so on, a page at last. */
const shifts = (start: bigint, page: bigint): readonly bigint[] => {
  const pages = start / page;
  const halves = Array.from({ length: pages.toString(2).length }, (_, times) => (pages >> BigInt(times)) * page);
  return [...new Set(halves)];
};

/** All offsets within one page; what lies from some page on, some pages nearer; what lies from some value on, as much less. */
const candidates = (program: CompleteProgram): readonly CompleteProgram[] => {
  const { steps, config } = program;
  const page = BigInt(config.page);
  const values = steps.flatMap(({ operation }) => immediatesOf(operation).map(([, value]) => value));
  const positive = [...new Set(values.filter((value) => value > 0n))];
  const behind = [...new Set(positive.filter((value) => value >= page).map((value) => value - (value % page)))];
  const nearer: readonly ((value: bigint) => bigint)[] = [
    ...(behind.length === 0 ? [] : [(value: bigint) => (value < 0n ? value : value % page)]),
    ...behind.flatMap((start) =>
      shifts(start, page).map((shift) => (value: bigint) => (value < start ? value : value - shift)),
    ),
    ...positive.map((least) => (value: bigint) => (value < least ? value : value - least)),
  ];
  return nearer.map((change) => ({ ...program, steps: changed(steps, change) }));
};

export const nearerOffsets = (program: CompleteProgram, shows: Shows): CompleteProgram =>
  settle(program, shows, candidates);

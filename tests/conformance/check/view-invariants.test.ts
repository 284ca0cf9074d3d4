/** INV-1 to INV-4 over what an implementation shows: each is named where its view breaks it. */
import { expect, test } from "vitest";
import { judgeBeside } from "../../../conformance/check/beside.js";
import { generate } from "../../../conformance/generate/generate.js";
import { createWatched } from "../../../conformance/implementations/spec.js";
import { specification } from "../../../conformance/check/judge.js";
import { viewViolations } from "../../../conformance/check/view-invariants.js";
import { createFast } from "../../../impl/fast/index.js";
import type { Implementation, ProcessView, View } from "../../../impl/implementation.js";
import type { Capability } from "../../../spec/cheri/index.js";
import type { Config } from "../../../spec/sfork/config.js";
import { program } from "./support.js";

const forked = program("config strategy=coa", "0: storecap c1, 0x40(c1)", "0: fork c7");

const showing =
  (change: (view: View) => View) =>
  (config: Config): Implementation => {
    const right = createFast(config);
    return { ...right, view: () => change(right.view()) };
  };

/** Capability `c1` of the parent, or of the child: the data part of either. */
const dataOf = ({ threads }: View, thread: number): Capability => {
  const data = threads.get(thread)?.[1];
  if (data === undefined) throw new Error("no such register");
  return data;
};

const withRegister = (view: View, thread: number, index: number, change: (one: Capability) => Capability): View => {
  const registers = view.threads.get(thread) ?? [];
  const changed = registers.map((one, at) => (at === index ? change(one) : one));
  return { ...view, threads: new Map([...view.threads, [thread, changed]]) };
};

const withProcess = (view: View, process: number, change: (one: ProcessView) => ProcessView): View => ({
  ...view,
  processes: new Map(Array.from(view.processes, ([key, one]) => [key, key === process ? change(one) : one])),
});

/** The view with granule 4 of page 0 of the child, which holds a pointer, replaced by the parent's. */
const unmovedGranule = (view: View): View => {
  const parents = view.processes.get(0)?.pages[0]?.granules[4];
  return withProcess(view, 1, (child) => ({
    ...child,
    pages: child.pages.map((page, number) =>
      page === undefined || number > 0 || parents === undefined
        ? page
        : { ...page, granules: page.granules.map((one, index) => (index === 4 ? parents : one)) },
    ),
  }));
};

test.each([
  [
    "a register of the child that points to the parent",
    ["INV-1", "INV-2", "INV-3"],
    (view: View) => withRegister(view, 1, 1, () => dataOf(view, 0)),
  ],
  [
    "a register of the child without its tag",
    ["INV-3", "INV-4"],
    (view: View) => withRegister(view, 1, 1, (one) => ({ ...one, tag: false })),
  ],
  [
    "a register of the parent that points to the child",
    ["INV-1"],
    (view: View) => withRegister(view, 0, 1, () => dataOf(view, 1)),
  ],
  ["a pointer in the child's memory that was not moved", ["INV-1", "INV-2", "INV-3"], unmovedGranule],
  [
    "a page that the child has not got",
    ["INV-3"],
    (view: View) => withProcess(view, 1, (child) => ({ ...child, pages: child.pages.with(0, undefined) })),
  ],
  [
    "a tag in a shared segment",
    ["INV-1"],
    (view: View) => {
      const granule = view.processes.get(0)?.pages[0]?.granules[4];
      if (granule === undefined) throw new Error("no such granule");
      return { ...view, segments: view.segments.map((one, at) => (at === 0 ? one.with(0, granule) : one)) };
    },
  ],
  [
    "a byte more in the parent, whose child has it not",
    ["INV-3"],
    (view: View) =>
      withProcess(view, 0, (parent) => ({
        ...parent,
        pages: parent.pages.map((page, number) =>
          page === undefined || number > 0
            ? page
            : { ...page, granules: page.granules.with(6, { tag: false, bits: 1n }) },
        ),
      })),
  ],
] as const)("%s", (_, rules, change) => {
  const { finding } = judgeBeside(forked, showing(change));
  expect(finding).toMatchObject({ kind: "view", rule: "REF-4", step: 1 });
  expect([...(finding?.also ?? [])].sort()).toEqual(rules);
});

test("nothing is wrong in the views of what conforms, after any step", () => {
  for (let index = 0; index < 15; index += 1) {
    const { config, steps } = generate("views", index, { strategies: ["eager", "coa", "copa", "multi-as-cow"] });
    const [spec, fast] = [createWatched(config, false, specification), createFast(config)];
    for (const step of steps) {
      spec.step(step);
      fast.step(step);
      const transition = spec.taken()?.transition;
      if (transition !== undefined) expect(viewViolations(transition, fast.view())).toEqual([]);
    }
  }
});

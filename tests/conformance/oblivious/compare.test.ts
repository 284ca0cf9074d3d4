/** Levels L0 and L1 in step (REF-3): what is compared, what is found, and what random programs show. */
import { describe, expect, test } from "vitest";
import { compareLevels, compareSides, type CompareOptions } from "../../../conformance/oblivious/compare.js";
import { isOblivious } from "../../../conformance/oblivious/flows.js";
import { formats, type FormatName } from "../../../spec/cheri/index.js";
import type { Machine } from "../../../spec/sfork/machine.js";
import { step, type Taken } from "../../../spec/sfork/step.js";
import { lines, read } from "../program/files.js";
import { legal, moved } from "./marked.js";
import { randomProgram } from "./random.js";

const config = legal();

const programOf = (...steps: readonly string[]) => ({
  version: 1 as const,
  config,
  steps: read(lines("config", ...steps)).steps.map(({ actor, operation }) => ({ actor, operation })),
});

const compare = (steps: readonly string[], options?: CompareOptions) => compareLevels(programOf(...steps), options);

/** L0, or L1, does something else. */
const broken = (strategy: "posix" | "eager", change: (taken: Taken, before: Machine) => Taken): CompareOptions => ({
  step: (machine, next) => {
    const taken = step(machine, next);
    return machine.config.strategy === strategy ? change(taken, machine) : taken;
  },
});

describe("a comparison", () => {
  test("counts what it compares, in whole and without numbers", () => {
    expect(compare(["0: cgetaddr c8, c1", "0: cgetlen c8, c1", "0: fork c7", "1: cgetaddr c8, c1"])).toEqual({
      steps: 4,
      compared: 4,
      masked: 2,
    });
  });

  test("ends before the step from which on nothing is promised", () => {
    expect(compare(["0: cgetaddr c8, c1", "0: load.b c7, c8(c1)", "0: yield"])).toEqual({
      steps: 2,
      compared: 1,
      masked: 1,
      endedAt: 1,
    });
  });

  test("ends where frames are promised that there are none of", () => {
    const tight = legal({ frames: 8, pages: 8, commit: "overcommit" });
    const { steps } = programOf("0: fork c7", "1: store.b 1, 0(c1)", "1: store.b 1, 256(c1)", "1: store.b 1, 512(c1)");
    const lazy = { ...tight, strategy: "copa" as const };
    expect(compareSides([lazy, lazy], steps)).toEqual({ steps: 4, compared: 3, masked: 0, endedAt: 3 });
  });

  test("finds a pointer that a fork leaves behind", () => {
    const registersOf = ({ threads }: Machine) => threads[0]?.registers ?? [];
    const left = broken("eager", (taken) => {
      if (taken.observation.kind !== "child") return taken;
      const threads = taken.machine.threads.map((thread) => ({ ...thread, registers: registersOf(taken.machine) }));
      return { ...taken, machine: { ...taken.machine, threads } };
    });
    const { difference } = compare(["0: fork c7", "1: cmove c8, c1"], left);
    expect(difference).toMatchObject({ rule: "REF-3", step: 1, verdict: "oblivious" });
    expect(difference).toMatchObject({ expected: { cap: { base: "P1+0x0" } }, actual: { cap: { base: "P0+0x0" } } });
  });

  test("finds a signal that only one side takes", () => {
    const deaf = broken("posix", (taken) => ({ ...taken, signals: [] }));
    const steps = ["0: sigaction 10, handler c3, c1", "0: kill P0, 10", "0: yield"];
    expect(compare(steps)).toMatchObject({ compared: 3 });
    expect(compare(steps, deaf).difference).toMatchObject({ step: 2, actual: { none: true, signals: [10] } });
  });

  describe("without numbers", () => {
    const pointer = ["0: pipe", "0: storecap c1, 0(c1)", "0: write 1, c1, 16", "0: fork c7", "1: read 0, c2, 16"];

    test("still sees what kind of observation it is", () => {
      const failing = broken("posix", (taken) => ({ ...taken, observation: { kind: "none" } }));
      expect(compare(["0: cgetaddr c8, c1"], failing).difference).toMatchObject({
        verdict: "masked",
        expected: { none: true },
        actual: { int: "?" },
      });
    });

    test("still sees a tag", () => {
      const tagging = broken("posix", (taken) => {
        const { observation } = taken;
        if (observation.kind !== "capability") return taken;
        return { ...taken, observation: { ...observation, capability: { ...observation.capability, tag: true } } };
      });
      expect(compare(["0: ccleartag c8, c1"]).masked).toBe(1);
      expect(compare(["0: ccleartag c8, c1"], tagging).difference).toMatchObject({
        expected: { cap: { tag: true } },
        actual: { cap: { tag: false, address: "?" } },
      });
    });

    test("still sees how many bytes there are", () => {
      const short = broken("posix", (taken) => {
        const { observation } = taken;
        if (observation.kind !== "bytes") return taken;
        return { ...taken, observation: { kind: "bytes", bytes: observation.bytes.slice(1) } };
      });
      expect(compare(pointer)).toMatchObject({ compared: 5, masked: 1 });
      expect(compare(pointer, short).difference).toMatchObject({ step: 4, actual: { bytes: "?".repeat(32) } });
    });
  });
});

describe("the form of an operation", () => {
  const operationIn = (text: string) => {
    const [first] = programOf(text).steps;
    if (first === undefined) throw new RangeError(text);
    return first.operation;
  };

  test.each([
    "0: csetbounds c8, c1, 16",
    "0: cgetaddr c8, c1",
    "0: load.b c8, 1(c1)",
    "0: store.b c8, 1(c1)",
    "0: memset c1, c8, 16",
    "0: li c8, c9",
    "0: fork c7 slot=3",
    "0: call_enter write 1, c1, 16",
    "0: call_enter open a, read",
    "0: kill P0, 10",
  ])("says that this is oblivious: %s", (text) => {
    expect(isOblivious(operationIn(text))).toBe(true);
  });

  test.each([
    "0: csetbounds c8, c1, c9",
    "0: load.b c8, c9(c1)",
    "0: store.b 1, c9(c1)",
    "0: memset c1, 1, c9",
    "0: csetaddr c8, c1, 16",
    "0: cfromptr c8, c1, 16",
    "0: cbuildcap c8, c1, c9",
    "0: ccopytype c8, c1, c9",
    "0: exit c8",
    "0: readv 1, c1, 16, c2, c9",
    "0: call_enter write 1, c1, c9",
    "0: lock 1, 0, c9",
    "0: kill P0, c9",
    "0: channel",
    "0: sendcap 0, c1",
    "0: recvcap c8, 0",
  ])("does not say so: %s", (text) => {
    expect(isOblivious(operationIn(text))).toBe(false);
  });
});

describe.each(Object.keys(formats) as readonly FormatName[])("random programs: %s", (format) => {
  const count = 60;
  const profile = (index: number) => randomProgram("profile", index, { formats: [format], allows: isOblivious });
  const anything = (index: number) => randomProgram("any", index, { formats: [format], allows: () => true });
  const indices = Array.from({ length: count }, (_, index) => index);

  test("of what is oblivious by its form are compared to their end, and never differ", () => {
    const results = indices.map((index) => compareLevels(profile(index)));
    expect(results.filter(({ difference, endedAt }) => difference !== undefined || endedAt !== undefined)).toEqual([]);
    expect(results.reduce((sum, { masked }) => sum + masked, 0)).toBeGreaterThan(2 * count);
  });

  test("of anything never differ between levels, nor between places", () => {
    const results = indices.flatMap((index) => {
      const program = anything(index);
      const places = compareSides([moved(program.config), program.config], program.steps);
      return [compareLevels(program), places];
    });
    expect(results.flatMap(({ difference }) => difference ?? [])).toEqual([]);
    expect(results.filter(({ endedAt }) => endedAt !== undefined).length).toBeGreaterThan(count / 2);
  });

  test("differ where nothing is masked, and where nothing leads outside", () => {
    const trackerOf = () => ({ follow: () => "oblivious" as const });
    const found = indices.filter((index) => {
      const { config: at, steps } = anything(index);
      return compareSides([moved(at), at], steps, { trackerOf }).difference !== undefined;
    });
    expect(found.length).toBeGreaterThan((count * 9) / 10);
  });
});

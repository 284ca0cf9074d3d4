/** Programs step by step, and two strategies side by side. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { conformingNames } from "../../../conformance/program/config-codec.js";
import { compared, describeBoth, diff, type Difference, type Side } from "../../../conformance/program/diff.js";
import { parseProgram } from "../../../conformance/program/file.js";
import { configOf, printActor, totals, trace, type TracedStep } from "../../../conformance/program/trace.js";
import type { StrategyName } from "../../../spec/sfork/config.js";
import { strategies } from "../../../spec/sfork/laws.js";
import { lines, rightOf } from "./files.js";

const traceOf = (text: string, strategy?: StrategyName): readonly TracedStep[] => {
  const source = rightOf(parseProgram(text, "p"));
  return [...trace(rightOf(configOf(source, "p", strategy)), source.program.steps)];
};

const diffOf = (text: string, left: StrategyName, right: StrategyName): Difference => {
  const source = rightOf(parseProgram(text, "p"));
  const sideOf = (strategy: StrategyName): Side => ({ impl: "spec", config: rightOf(configOf(source, "p", strategy)) });
  return diff(sideOf(left), sideOf(right), source.program.steps);
};

const none = { faults: 0, copies: 0, relocations: 0, pageTableWrites: 0 };

describe("who took a step", () => {
  const name = ({ actor }: TracedStep): string =>
    actor === undefined ? "-" : `${printActor(actor)}${actor.reduced ? "*" : ""}`;

  test("threads by process, and ordinals that were never made modulo the live ones", () => {
    const text = lines(
      "0: thread",
      "0: fork c7",
      "0: yield",
      "1: yield",
      "2: yield",
      "3: yield",
      "1: thread_exit",
      "1: yield",
    );
    // Threads 0 and 1 are P0's, thread 2 is the child's. 3 of three live threads is the first; then 1 of 0 and 2 is 2.
    expect(traceOf(text).map(name)).toEqual(["P0.t0", "P0.t0", "P0.t0", "P0.t1", "P1.t0", "P0.t0*", "P0.t1", "P1.t0*"]);
  });

  test("nobody, when the machine has halted", () => {
    const [, last] = traceOf(lines("0: exit 0", "0: yield"));
    expect(last).toMatchObject({ actor: undefined, canonical: { halted: true } });
  });
});

describe("what a step cost", () => {
  const text = lines(
    "config pages=8",
    "0: fork c7",
    "1: store.b 1, 0(c1)",
    "0: store.b 1, 0(c1)",
    "0: load.b c8, 0(c1)",
  );

  // Data has 4 pages, stack and code one each: 6 are mapped.
  test("eager: the fork copies every page", () => {
    const traced = traceOf(text, "eager");
    expect(traced.map(({ costs }) => costs)).toEqual([
      [{ process: 1, counters: { ...none, copies: 6, pageTableWrites: 6 } }],
      [],
      [],
      [],
    ]);
    expect(traced.map(({ machine }) => totals(machine)).at(-1)).toEqual({ ...none, copies: 6, pageTableWrites: 6 });
  });

  test("copa: the fork writes page tables, the first write of each side faults; the second takes the frame over", () => {
    const traced = traceOf(text, "copa");
    expect(traced.map(({ costs }) => costs)).toEqual([
      [
        { process: 0, counters: { ...none, pageTableWrites: 6 } },
        { process: 1, counters: { ...none, pageTableWrites: 6 } },
      ],
      [{ process: 1, counters: { ...none, faults: 1, copies: 1, pageTableWrites: 1 } }],
      [{ process: 0, counters: { ...none, faults: 1, pageTableWrites: 1 } }],
      [],
    ]);
  });
});

test("signals that were taken before a step stand beside what it observed", () => {
  const text = lines(
    "0: sigaction 10, handler c3, c1",
    "0: kill P0, 10",
    "0: load.w c8, 0(c1)",
    "expect int 1",
    "0: load.w c8, 0(c1)",
    "expect int 1 signals=10",
  );
  const [, , third, fourth] = traceOf(text);
  // The kernel has added one to the handler's counter before the load.
  expect(third).toMatchObject({ signals: [10], canonical: { int: "0x1", signals: [10] }, mismatch: undefined });
  expect(fourth).toMatchObject({ signals: [], canonical: { int: "0x1" }, mismatch: { int: "0x1", signals: [10] } });
  expect(fourth?.canonical).toEqual({ int: "0x1" });
});

test("in separate address spaces a region is that of the process that takes the step", () => {
  const text = lines(
    "0: fork c7",
    "0: cmove c8, c1",
    "expect cap base=P0+0x0",
    "1: cmove c8, c1",
    "expect cap base=P1+0x0",
    "1: cgetbase c8, c1",
    "expect int 0x1000",
  );
  const traced = traceOf(text, "posix");
  expect(traced.map(({ mismatch }) => mismatch)).toEqual([undefined, undefined, undefined, undefined]);
});

test("an expectation that is not met is reported, with what was expected", () => {
  const traced = traceOf(lines("0: li c8, 5", "expect int 5", "0: li c8, 6", "expect int 5"));
  expect(traced.map(({ mismatch }) => mismatch)).toEqual([undefined, { int: "0x5" }]);
});

test("an illegal configuration is refused with its line and clause", () => {
  const source = rightOf(parseProgram("sfork 1\n\nconfig page=300\n", "p"));
  const config = configOf(source, "p");
  expect(isLeft(config) ? config.left.describe() : "legal").toBe(
    "p:3: the configuration is illegal, CFG-1 demands: page is a power of two, at least 256",
  );
});

test("a region that would fill the memory is refused", () => {
  const refused = (config: string): string => {
    const source = rightOf(parseProgram(lines(`config frames=65536 ${config}`), "p"));
    const complete = configOf(source, "p");
    return isLeft(complete) ? complete.left.describe() : "legal";
  };
  expect(refused("page=65536 pages=1024")).toBe("legal");
  expect(refused("page=65536 pages=2048")).toBe("p:2: a region is larger than 64 MiB; lower page or pages");
});

describe("two strategies side by side", () => {
  const pointer = lines("0: storecap c1, 0(c1)", "0: fork c7", "1: loadcap c8, 0(c1)", "1: load.b c8, 0(c8)");

  test("the same", () => {
    expect(diffOf(lines("0: storecap c1, 0(c1)", "0: fork c7", "1: loadcap c8, 0(c1)"), "eager", "copa")).toEqual({
      verdict: "same",
      steps: 3,
      masked: 0,
    });
    expect(diffOf(pointer, "eager", "coa")).toEqual({ verdict: "same", steps: 4, masked: 0 });
  });

  test("a raw read of a pointer ends what copa promises (REF-2)", () => {
    const found = diffOf(
      lines("0: storecap c1, 0(c1)", "0: fork c7", "1: load.b c8, 0(c1)", "0: yield"),
      "eager",
      "copa",
    );
    expect(found).toMatchObject({
      verdict: "ended",
      left: { index: 2, canonical: { int: expect.any(String) as string } },
      right: { index: 2, canonical: { outsideProfile: true } },
    });
  });

  describe("one of them with an address space for each process", () => {
    test("is compared in canonical form (REF-3)", () => {
      const same = { verdict: "same", steps: 4, masked: 0 };
      const oblivious = lines("0: storecap c1, 0(c1)", "0: fork c7", "1: loadcap c8, 0(c1)", "1: cgetlen c9, c8");
      expect(diffOf(oblivious, "posix", "eager")).toEqual(same);
      expect(diffOf(oblivious, "copa", "posix")).toEqual(same);
    });

    test("compares no number that comes from an address, and ends where one decides something", () => {
      const looks = ["0: fork c7", "0: cgetbase c8, c1", "1: cgetbase c8, c1"];
      expect(diffOf(lines(...looks), "posix", "eager")).toEqual({ verdict: "same", steps: 3, masked: 2 });
      const uses = lines(...looks, "1: cincoffset c9, c1, c8");
      expect(diffOf(uses, "posix", "eager")).toMatchObject({ verdict: "ended", left: { index: 3 } });
      expect(diffOf(uses, "copa", "posix")).toMatchObject({ verdict: "ended", right: { index: 3 } });
    });

    test("differs where something else is observed", () => {
      const source = rightOf(parseProgram(lines("0: yield", "0: fork c7"), "p"));
      const config = rightOf(configOf(source, "p", "posix"));
      const few = { ...config, strategy: "eager", processes: 1 } as const;
      expect(diff({ impl: "spec", config }, { impl: "spec", config: few }, source.program.steps)).toMatchObject({
        verdict: "different",
        left: { index: 1, canonical: { child: 1 } },
        right: { index: 1, canonical: { error: "EAGAIN" } },
      });
    });

    test("has no channels: the comparison ends there", () => {
      const text = lines("0: yield", "0: channel", "0: yield");
      for (const [left, right] of [
        ["posix", "eager"],
        ["eager", "posix"],
      ] as const) {
        expect(diffOf(text, left, right)).toMatchObject({ verdict: "ended", left: { index: 1 }, right: { index: 1 } });
      }
      expect(diffOf(text, "posix", "posix")).toEqual({ verdict: "same", steps: 3, masked: 0 });
    });
  });

  test("signals are compared; the errors behind the first are not", () => {
    const none = { kind: "none" } as const;
    expect(compared(none, [10])).toEqual(compared(none, [10]));
    expect(compared(none, [10])).not.toEqual(compared(none, []));
    const error = { kind: "error", error: "EBADF" } as const;
    const alone = compared({ ...error, allowed: ["EBADF"] }, []);
    expect(compared({ ...error, allowed: ["EBADF", "EFAULT"] }, [])).toEqual(alone);
    expect(compared({ ...error, allowed: ["EBADF"] }, [10])).not.toEqual(alone);
  });

  test("numbers that canonical form hides are compared", () => {
    const source = rightOf(parseProgram(lines("0: yield", "0: cmove c8, c1"), "p"));
    const config = rightOf(configOf(source, "p"));
    const found = diff(
      { impl: "spec", config },
      { impl: "spec", config: { ...config, base: 2n * config.base } },
      source.program.steps,
    );
    expect(found).toMatchObject({ verdict: "different", left: { index: 1 }, right: { index: 1 } });
  });

  test("where canonical form prints them alike, raw numbers are shown", () => {
    // Another slot is another place: alike in canonical form.
    const left = traceOf(lines("0: fork c7 slot=1", "1: cmove c8, c1"));
    const right = traceOf(lines("0: fork c7 slot=2", "1: cmove c8, c1"));
    const [one, two] = [left[1], right[1]];
    if (one === undefined || two === undefined) throw new Error("no second step");
    expect(one.canonical).toEqual(two.canonical);
    const [first, second] = describeBoth(one, two);
    expect(first).toMatch(/^cap tag=1 base=0x2000 top=0x2400 address=0x2000 .* metadata=0x[0-9a-f]+$/);
    expect(second).toMatch(/^cap tag=1 base=0x3000 top=0x3400 address=0x3000 .* metadata=0x[0-9a-f]+$/);
  });

  test("the first step that is different, in canonical form", () => {
    // Overcommitted and short of frames, an eager fork fails where a lazy one needs no frame yet.
    const text = lines("config frames=8 commit=overcommit", "0: yield", "0: fork c7", "0: yield");
    const found = diffOf(text, "eager", "coa");
    if (found.verdict !== "different") throw new Error(found.verdict);
    expect(found.left.index).toBe(1);
    expect(describeBoth(found.left, found.right)).toEqual(["error ENOMEM", "child P1"]);
  });
});

describe("the examples", () => {
  const folder = path.resolve(import.meta.dirname, "../../../examples");
  const examples = readdirSync(folder).filter((name) => name.endsWith(".sfork"));

  test("are here", () => {
    expect(examples.length).toBeGreaterThanOrEqual(3);
  });

  describe.each(examples)("%s", (name) => {
    test.each(conformingNames)("holds on %s", (strategy) => {
      const traced = traceOf(readFileSync(path.join(folder, name), "utf8"), strategy);
      expect(traced.filter(({ step }) => step.expect !== undefined).length).toBeGreaterThan(3);
      // Without one address space there are no channels.
      const foreign = strategies[strategy].separate ? ["sendcap", "recvcap"] : [];
      const failed = traced.filter(({ mismatch }) => mismatch !== undefined);
      expect(failed.filter(({ step }) => !foreign.includes(step.operation.op))).toEqual([]);
    });
  });
});

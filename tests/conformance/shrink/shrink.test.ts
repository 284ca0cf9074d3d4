/** Shrinking: what comes out still shows it, no step of it can be left out, and nothing in it can be made plainer. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CompleteProgram } from "../../../conformance/check/finding.js";
import { generate } from "../../../conformance/generate/generate.js";
import { shrink, type ShrinkOptions } from "../../../conformance/shrink/shrink.js";
import type { Shows } from "../../../conformance/shrink/shows.js";
import { completeConfig } from "../../../spec/sfork/config.js";
import type { OperationName } from "../../../spec/sfork/operation.js";
import { program } from "../check/support.js";

const has =
  (...names: readonly OperationName[]): Shows =>
  ({ steps }) => {
    let next = 0;
    for (const { operation } of steps) if (operation.op === names[next]) next += 1;
    return next === names.length;
  };

const generated = (index: number): CompleteProgram => {
  const { version, config, steps } = generate("shrink", index, { steps: 40 });
  return { version, config, steps };
};

const smallest = (from: CompleteProgram, shows: Shows, options?: ShrinkOptions): CompleteProgram =>
  shrink(from, shows, options).program;

const without = ({ steps, ...rest }: CompleteProgram, left: number): CompleteProgram => ({
  ...rest,
  steps: steps.filter((_, index) => index !== left),
});

const ops = ({ steps }: CompleteProgram): readonly string[] => steps.map(({ operation: { op } }) => op);

describe("a program is shrunk", () => {
  test("to the steps that matter, in their order", () => {
    const long = Array.from({ length: 400 }, (_, index) => index)
      .map(generated)
      .filter(has("fork", "exit"));
    expect(long.length).toBeGreaterThan(5);
    for (const one of long) expect(ops(smallest(one, has("fork", "exit")))).toEqual(["fork", "exit"]);
  });

  test("to what no single step can be left out of, whatever it is looked for", () => {
    // Two steps of the same kind with an odd number of others between them: leaving out one of those shows it no more.
    const shows: Shows = ({ steps }) => {
      const forks = steps.flatMap(({ operation: { op } }, index) => (op === "fork" ? [index] : []));
      const [first = 0, second = 0] = forks;
      return (second - first) % 2 === 0 && second > first + 2;
    };
    const long = program("0: fork c7", ...Array.from({ length: 9 }, () => "0: yield"), "0: fork c7", "1: yield");
    const small = smallest(long, shows);
    expect(shows(small)).toBe(true);
    expect(ops(small)).toEqual(["fork", "yield", "yield", "yield", "fork"]);
  });

  test("to fewer processes, called by less, though a step names one", () => {
    const shows: Shows = ({ steps }) => {
      const forks = steps.filter(({ operation }) => operation.op === "fork").length;
      return forks > 1 && steps.some(({ operation }) => operation.op === "wait" && operation.whom === forks);
    };
    const long = program(...Array.from({ length: 6 }, () => "0: fork c7"), "3: yield", "0: wait c7, 6");
    const small = smallest(long, shows);
    expect(shows(small)).toBe(true);
    expect(ops(small)).toEqual(["fork", "fork", "wait"]);
  });

  test("by two steps at once, where neither can go by itself", () => {
    const shows: Shows = ({ steps }) => {
      const count = (op: OperationName): number => steps.filter(({ operation }) => operation.op === op).length;
      return count("pipe") > 0 && count("pipe") === count("close");
    };
    const long = program(
      ...Array.from({ length: 6 }, () => "0: pipe"),
      ...Array.from({ length: 6 }, () => "0: close 0"),
    );
    const small = smallest(long, shows);
    expect(shows(small)).toBe(true);
    // For a program of six steps pairs are not tried any more.
    expect(ops(small)).toHaveLength(6);
  });

  test("to the plainest configuration that shows it", () => {
    const shows: Shows = ({ config: { pages, format }, steps }) => pages >= 8 && format !== "rvy64" && steps.length > 0;
    const { config } = program(
      "config format=morello pages=12 page=1024 guard=2048 processes=6 slots=9 pipe=16",
      "0: yield",
    );
    const small = smallest({ version: 1, config, steps: program("0: yield").steps }, shows);
    const plainest = completeConfig({ page: 256, pages: 8, processes: 1, slots: 1, frames: 8 });
    expect(small.config).toEqual(plainest);
  });

  test("to small numbers, the data part's register and the first thread", () => {
    const long = program("0: fork c7", "1: cincoffset c12, c9, 0x1234", "1: store.w c3, 0x77(c12)");
    const shows: Shows = ({ steps }) => has("cincoffset", "store.w")({ version: 1, config: long.config, steps });
    expect(smallest(long, shows).steps).toEqual(program("0: cincoffset c12, c1, 0", "0: store.w 0, 0(c1)").steps);
    const odd: Shows = ({ steps }) => {
      const [step] = steps;
      return (
        step?.operation.op === "cincoffset" && "immediate" in step.operation.n && step.operation.n.immediate >= 0x100n
      );
    };
    // Nearer by whole pages as long as that shows it, then the highest bit alone.
    const [small] = smallest(program("0: cincoffset c12, c1, 0x1234"), odd).steps;
    expect(small?.operation).toMatchObject({ n: { immediate: 0x100n } });
  });

  test("with threads that the others do not need, whose later ones get other numbers", () => {
    const long = program("0: fork c7", "1: yield", "0: fork c7", "2: burn");
    const shows: Shows = ({ steps }) =>
      steps.some(
        ({ actor, operation: { op } }) =>
          op === "burn" && actor > 0 && steps.filter((one) => one.operation.op === "fork").length >= actor,
      );
    expect(smallest(long, shows).steps).toEqual(program("0: fork c7", "1: burn").steps);
  });

  test("but never to a configuration that is not legal, or that it is told not to take", () => {
    const long = { ...program("config strategy=coa pages=8", "0: yield") };
    const small = smallest(long, () => true, {
      complete: (sizes) => {
        const config = completeConfig(sizes);
        return "illegal" in config || config.strategy !== "coa" ? undefined : config;
      },
    });
    expect(small.config.strategy).toBe("coa");
    expect(small.steps).toEqual([]);
  });
});

describe("no step can be left out", () => {
  /** It shows by the weights of its operations, whatever they are: leaving out one step and another is not like leaving out both. */
  const weighed = (weight: number, modulus: number): Shows => {
    const sum = ({ steps }: CompleteProgram): number =>
      steps.reduce((total, { operation: { op } }, index) => total + op.length * weight + index * op.length, 0);
    return (one) => one.steps.length > 0 && sum(one) % modulus === 0;
  };
  const drawn = fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 2, max: 5 }));

  test("of what it comes to, for whatever is looked for; and the result says so", () => {
    let shown = 0;
    fc.assert(
      fc.property(drawn, ([index, weight, modulus]) => {
        const [long, shows] = [generated(index), weighed(weight, modulus)];
        fc.pre(shows(long));
        const { program: small, minimal } = shrink(long, shows);
        shown += 1;
        expect(minimal).toBe(true);
        expect(shows(small)).toBe(true);
        expect(small.steps.map((_, left) => shows(without(small, left)))).toEqual(small.steps.map(() => false));
      }),
      { numRuns: 60 },
    );
    expect(shown).toBeGreaterThan(10);
  });

  test("unless it is enough before: then it is left as it is", () => {
    const [from] = Array.from({ length: 400 }, (_, index) => generated(index)).filter(has("fork", "exit"));
    if (from === undefined) throw new Error("no program has both");
    let asked = 0;
    const result = shrink(from, has("fork", "exit"), { enough: () => (asked += 1) > 3 });
    expect(result).toMatchObject({ judged: 3, minimal: false });
    expect(has("fork", "exit")(result.program)).toBe(true);
  });

  test("unless the budget ends first: it is kept to, what comes out shows it all the same, and the result says so", () => {
    const shows = has("fork", "exit");
    const long = Array.from({ length: 400 }, (_, index) => generated(index)).find(shows) ?? generated(0);
    const whole = shrink(long, shows);
    let asked = 0;
    for (const budget of [0, 1, 7, whole.judged - 1, whole.judged]) {
      asked = 0;
      const counting: Shows = (one) => {
        asked += 1;
        return shows(one);
      };
      const { program: small, judged, minimal } = shrink(long, counting, { budget });
      expect(asked).toBe(budget);
      expect(judged).toBe(budget);
      expect(shows(small)).toBe(true);
      expect(minimal).toBe(budget === whole.judged);
    }
  });
});

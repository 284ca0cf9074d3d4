/** Generated programs: the same from the same seed, legal, and within their profile. */
import { describe, expect, test } from "vitest";
import { addressing } from "../../../conformance/generate/oblivious.js";
import { generate, generatorVersion } from "../../../conformance/generate/generate.js";
import { makers } from "../../../conformance/generate/operations.js";
import { randomOf } from "../../../conformance/generate/random.js";
import { roles, Scene } from "../../../conformance/generate/scene.js";
import { templatesFor } from "../../../conformance/generate/templates.js";
import { compareLevels } from "../../../conformance/oblivious/compare.js";
import { isOblivious } from "../../../conformance/oblivious/flows.js";
import { cornerCaseNames } from "../../../conformance/corner-cases.js";
import { formats, type FormatName } from "../../../spec/cheri/index.js";
import { completeConfig, regionSize } from "../../../spec/sfork/config.js";
import { initial } from "../../../spec/sfork/machine.js";
import { operations, type OperationName } from "../../../spec/sfork/operation.js";
import { runFrom } from "../../../spec/sfork/step.js";
import type { GenerateOptions, GeneratedProgram } from "../../../conformance/generate/options.js";
import { strategyNames } from "../../../conformance/program/config-codec.js";
import { fingerprint, programs } from "./support.js";

const formatNames = Object.keys(formats) as readonly FormatName[];
const operationNames = Object.keys(operations) as readonly OperationName[];

describe("a seed", () => {
  /**
   * A seed is a promise: people keep them, and tokens, in reports. If this fails because the generator, or a list that it
   * draws from, was changed on purpose, raise `generatorVersion`, and put what was received in the place of what is here.
   */
  test("gives the programs that it gave before, whatever a token names", () => {
    const few = (options: GenerateOptions): string => fingerprint(programs("pinned", 20, options));
    const all = {
      version: generatorVersion,
      first: fingerprint(programs("pinned", 1000)),
      mixed: few({ profile: "mixed" }),
      posix: few({ profile: "posix" }),
      oblivious: few({ profile: "oblivious" }),
      "raw-bytes": few({ profile: "raw-bytes" }),
      full: few({ profile: "full" }),
      // As the command has them by default, and others.
      strategies: few({ strategies: strategyNames, steps: 50 }),
      oneFormat: few({ formats: ["morello"], steps: 50 }),
      oneStrategy: few({ formats: ["cheri64-v9", "uncompressed256"], strategies: ["naive-cow"], steps: 200 }),
      posixElsewhere: few({ profile: "posix", formats: ["rvy64"], strategies: ["eager", "copa"], steps: 7 }),
    };
    expect(all).toEqual({
      version: 7,
      first: "09b338055c78e526",
      mixed: "e3c087ae71bf3d7d",
      posix: "d32d7f40b806c353",
      oblivious: "bd067bc83bd5ed66",
      "raw-bytes": "f077cac18e9774ca",
      full: "f378027ada5ebaf6",
      strategies: "df54a2a2f3c86524",
      oneFormat: "29b034b17eb2968d",
      oneStrategy: "53386237d4db6ece",
      posixElsewhere: "b5159bf6703aa34e",
    });
  });

  test("gives the same program whatever was generated before", () => {
    const alone = generate("s", 17);
    expect(generate("s", 17)).toEqual(alone);
    expect(programs("s", 18)[17]).toEqual(alone);
    expect(generate("s", 18)).not.toEqual(alone);
    expect(generate("t", 17)).not.toEqual(alone);
  });

  test("may be a number, which is its digits", () => {
    expect(generate(5, 0)).toEqual(generate("5", 0));
  });
});

describe("configurations", () => {
  test("are complete and legal", () => {
    for (const { config } of programs("legal", 1000)) expect(completeConfig(config)).toEqual(config);
  });

  /** Lengths from here on need an internal exponent. */
  const exponentFrom: Partial<Readonly<Record<FormatName, bigint>>> = {
    "cheri128-v9": 1n << 12n,
    "cheri64-v9": 1n << 6n,
    morello: 1n << 14n,
    rvy128: 1n << 12n,
    rvy64: 1n << 9n,
  };

  test.each(formatNames)("%s: at least a quarter have large regions", (format) => {
    const all = programs("large", 400, { formats: [format] });
    const least = 8n * (exponentFrom[format] ?? 0n);
    expect(all.filter(({ config }) => regionSize(config) >= least).length).toBeGreaterThan(100);
  });

  test("vary", () => {
    const all = programs("vary", 300).map(({ config }) => config);
    const values = (key: keyof (typeof all)[number]): number => new Set(all.map((config) => config[key])).size;
    expect(values("format")).toBe(6);
    // Those of one address space: the other is for the posix profile.
    expect(values("strategy")).toBe(3);
    expect([values("reuse"), values("commit"), values("shared"), values("channel")]).toEqual([2, 2, 2, 4]);
    expect([values("page"), values("pages"), values("slots"), values("processes")].every((n) => n >= 5)).toBe(true);
  });
});

describe("options", () => {
  test("limit formats, strategies and steps", () => {
    const all = programs("few", 100, { formats: ["rvy64"], strategies: ["copa"], steps: 9, profile: "full" });
    for (const { config, profile, steps } of all) {
      expect([config.format, config.strategy, profile]).toEqual(["rvy64", "copa", "full"]);
      expect(steps.length).toBeLessThanOrEqual(9);
      expect(steps.length).toBeGreaterThan(0);
    }
  });

  test("refuse an empty choice", () => {
    expect(() => generate("s", 0, { formats: [] })).toThrow(/no formats/);
  });

  test("mix the profiles, with raw bytes the smallest part", () => {
    const all = programs("mixed", 400);
    const of = (wanted: string): number => all.filter(({ profile }) => profile === wanted).length;
    expect(of("raw-bytes")).toBeGreaterThan(20);
    expect(Math.min(of("oblivious"), of("full"))).toBeGreaterThan(2 * of("raw-bytes"));
  });
});

test("every operation has a maker that makes it", () => {
  const scene = new Scene(randomOf("makers", 0), generate("makers", 0).config, "full", () => undefined);
  for (const name of operationNames) expect(makers[name](scene).op).toBe(name);
});

test("every corner case has a template, which all but oblivious programs have", () => {
  expect(new Set(templatesFor("full").map(({ name }) => name))).toEqual(new Set(cornerCaseNames));
  expect(templatesFor("oblivious").map(({ name }) => name)).not.toContain("sendcap-sealed");
});

/** Does the program read the bytes of a pointer where copy-on-pointer-access would show? */
const readsRaw = ({ config, steps }: GeneratedProgram): boolean =>
  runFrom(initial(config), steps).observations.some(({ kind }) => kind === "outside-profile");

describe("the oblivious profile", () => {
  const all = programs("oblivious", 200, { profile: "oblivious", strategies: ["copa"] });
  const steps = all.flatMap((program) => program.steps);

  test("has no operation that depends on where a region lies", () => {
    const used = new Set(steps.map(({ operation }) => operation.op));
    expect(addressing.filter((name) => used.has(name))).toEqual([]);
    expect(operationNames.filter((name) => !used.has(name) && !addressing.includes(name))).toEqual([]);
  });

  test("has steps of which the form says that they are oblivious", () => {
    expect(steps.filter(({ operation }) => !isOblivious(operation))).toEqual([]);
  });

  test("shows the same where each process has an address space of its own, to the end", () => {
    const compared = all.slice(0, 100).map((program) => compareLevels(program));
    expect(compared.filter(({ endedAt, difference }) => endedAt !== undefined || difference !== undefined)).toEqual([]);
  }, 120_000);

  test("takes no number from a capability", () => {
    const integers: readonly number[] = roles.integers;
    for (const { operation } of steps) {
      for (const value of Object.values(operation) as readonly unknown[]) {
        if (typeof value !== "object" || value === null || !("register" in value)) continue;
        expect(integers).toContain(value.register);
      }
    }
  });

  test("never reads the bytes of a pointer", () => {
    expect(all.filter(readsRaw)).toEqual([]);
  });
});

test("raw-bytes programs read bytes of pointers more often than others", () => {
  const reads = (profile: "raw-bytes" | "full"): number =>
    programs("raw", 60, { profile, strategies: ["copa"] }).filter(readsRaw).length;
  expect(reads("raw-bytes")).toBeGreaterThan(2 * reads("full"));
});

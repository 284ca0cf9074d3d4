/** The library: campaigns against an implementation of one's own, and the failure store. */
import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import {
  check,
  InputError,
  printTextProgram,
  replay,
  type CheckOptions,
  type Create,
} from "../../../conformance/index.js";
import { generate } from "../../../conformance/generate/generate.js";
import { createFast } from "../../../impl/fast/index.js";
import type { Implementation } from "../../../impl/implementation.js";
import { removeAtEnd, write } from "../../support/files.js";
import { crashing, forgetful, miscounting, oneMore, wrong } from "./wrong.js";

/** Every observation comes with a signal that nobody sent. */
const wrongOnce = wrong(({ observed }) => ({ observed: () => ({ ...observed(), signals: [10] }) }));

/** Counts how often an implementation is made, and says so first. */
const counting = (create: Create, said: (times: number) => void): Create => {
  let times = 0;
  return (config) => {
    times += 1;
    said(times);
    return create(config);
  };
};

describe("a campaign", () => {
  const folder = removeAtEnd();

  test("of one that is right has nothing to say", async () => {
    const { programs, steps, ...result } = await check(createFast, { seed: "s", runs: 20, steps: 30 });
    expect(result).toEqual({ ok: true, seed: "s", findings: [], regressions: [], errors: [], interrupted: false });
    expect(programs).toBe(20);
    // As many as were generated: all of them were taken.
    const choice = { steps: 30, strategies: ["eager", "coa", "copa"] } as const;
    const generated = Array.from({ length: 20 }, (_, index) => generate("s", index, choice).steps.length);
    expect(steps).toBe(generated.reduce((one, two) => one + two));
  });

  test("finds what is wrong, with the smallest program, once for each cause", async () => {
    const { ok, findings, programs } = await check(miscounting, { seed: "c", runs: 30 });
    expect(ok).toBe(false);
    expect(programs).toBe(30);
    // Seen at the end of programs that end with all kinds of steps, and still one cause.
    expect(findings.map(({ finding }) => finding.kind)).toEqual(["counters"]);
    expect(new Set(findings.map(({ finding }) => finding.key)).size).toBe(findings.length);
    const { finding, index, token, path } = findings[0] ?? expect.fail("nothing was found");
    expect(finding.program.steps.map(({ operation }) => operation.op)).toEqual(["fork"]);
    expect(path).toBeUndefined();
    expect(index).toBeGreaterThan(0);
    // The program is the first that shows it, and the token leads to it.
    const again = await check(miscounting, { seed: "c", runs: index });
    expect(again.findings).toEqual([]);
    expect(replay(miscounting, token)).toMatchObject({ ok: false, finding: { kind: "counters", key: finding.key } });
  });

  test("finds what shows once only, and calls it flaky", async () => {
    let machines = 0;
    const tenth: Create = (config) => {
      machines += 1;
      return machines === 10 ? wrongOnce(config) : createFast(config);
    };
    const { ok, findings } = await check(tenth, { seed: "l", runs: 30 });
    expect(ok).toBe(false);
    expect(findings.map(({ finding }) => finding.kind)).toEqual(["flaky"]);
  });

  test("takes programs of the formats, strategies, lengths and profile that are named", async () => {
    const options: CheckOptions = {
      seed: "s",
      runs: 15,
      formats: ["rvy64"],
      strategies: ["coa"],
      steps: 9,
      profile: "full",
    };
    const seen: string[] = [];
    let [longest, steps] = [0, 0];
    const result = await check((config) => {
      seen.push(`${config.format} ${config.strategy}`);
      steps = 0;
      const one = createFast(config);
      return {
        ...one,
        step: (next) => {
          steps += 1;
          longest = Math.max(longest, steps);
          one.step(next);
        },
      };
    }, options);
    expect(result.ok).toBe(true);
    expect(seen).toEqual(Array.from({ length: 15 }, () => "rvy64 coa"));
    expect(longest).toBeLessThanOrEqual(9);
    expect(longest).toBeGreaterThan(0);
  });

  test("ends with so many findings", async () => {
    const wide: Create = (config) => ({ ...oneMore(config), check: () => ["INV-8: x"] });
    const { findings } = await check(wide, { seed: "s", runs: 200, maxFindings: 2 });
    expect(findings).toHaveLength(2);
  });

  test("has a seed of its own where none is given, and comes to the same with it", async () => {
    const first = await check(oneMore, { runs: 5 });
    const other = await check(oneMore, { runs: 5 });
    expect(first.seed).toMatch(/^\d+$/);
    expect(other.seed).not.toBe(first.seed);
    expect(await check(oneMore, { runs: 5, seed: first.seed })).toEqual(first);
  });

  test("ends after its time, or when it is told to, between programs", async () => {
    expect((await check(createFast, { time: 1 })).programs).toBeLessThan(10_000);
    const abort = new AbortController();
    const third = counting(createFast, (nth) => {
      if (nth === 3) abort.abort();
    });
    expect(await check(third, { runs: 1000, signal: abort.signal })).toMatchObject({
      ...{ ok: false, interrupted: true, programs: 3, findings: [] },
    });
  });

  test("lets others have their turn", async () => {
    const abort = new AbortController();
    const later = turn().then(() => {
      abort.abort();
    });
    const { interrupted } = await check(createFast, { runs: 2000, signal: abort.signal });
    await later;
    expect(interrupted).toBe(true);
  });

  test("takes an instance of a class, with members of its own", async () => {
    class Own implements Implementation {
      readonly name = "own";
      readonly #right: Implementation;

      constructor(right: Implementation) {
        this.#right = right;
      }
      reset(...given: Parameters<Implementation["reset"]>) {
        this.#right.reset(...given);
      }
      step(...given: Parameters<Implementation["step"]>) {
        this.#right.step(...given);
      }
      observed() {
        return this.#right.observed();
      }
      view() {
        return this.#right.view();
      }
      counters() {
        return this.#right.counters();
      }
      check() {
        return this.#right.check();
      }
    }
    expect(await check((config) => new Own(createFast(config)), { runs: 5 })).toMatchObject({ ok: true });
    expect((await check((config) => new Own(oneMore(config)), { runs: 20, seed: "s" })).findings).not.toEqual([]);
  });

  test.each([
    [{ strategy: ["copa"] }, "check: strategy: is no option; there are formats, strategies, profile, steps, seed, "],
    [{ strategies: ["cow"] }, "check: strategies: give a list of some of posix, eager, coa, copa, "],
    [{ strategies: [] }, "check: strategies: give a list of some of "],
    [{ formats: "rvy64" }, "check: formats: give a list of some of cheri128-v9, "],
    [{ runs: 0 }, "check: runs: give a whole number from 1 to 1000000000"],
    [{ runs: 1.5 }, "check: runs: give a whole number from 1 to 1000000000"],
    [{ steps: 10_001 }, "check: steps: give a whole number from 1 to 10000"],
    [{ time: 0 }, "check: time: give milliseconds, more than 0"],
    [{ seed: "-s" }, "check: seed: give up to 64 letters, "],
    [{ seed: "x".repeat(65) }, "check: seed: give up to 64 letters, "],
    [{ profile: "any" }, "check: profile: give one of oblivious, raw-bytes, full, posix, mixed"],
    [{ signal: "SIGINT" }, "check: signal: give the signal of an AbortController"],
    [{ folder: "" }, "check: folder: give the path of a folder"],
  ])("refuses %j in one line", async (options, line) => {
    const refused = await check(createFast, options as CheckOptions).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InputError);
    expect(refused).toMatchObject({ code: "SFORK_INPUT", message: expect.stringContaining(line) as unknown });
    expect(String(refused)).not.toContain("\n");
  });

  test("refuses what makes no implementation", async () => {
    const line = "create is no function; give one that makes an implementation";
    await expect(check(undefined as unknown as Create)).rejects.toThrow(`check: ${line}`);
    expect(() => replay(undefined as unknown as Create, "")).toThrow(`replay: ${line}`);
  });

  describe("with a failure store", () => {
    test("has a finding on disk before it is made smaller, and after", async () => {
      const store = `${folder()}/findings`;
      const files: number[] = [];
      const create = counting(forgetful, () => {
        files.push(readdirSync(store, { recursive: true }).length);
      });
      // The folder is not there before the first finding.
      const safe: Create = (config) => {
        try {
          return create(config);
        } catch {
          return forgetful(config);
        }
      };
      const { findings } = await check(safe, { seed: "s", runs: 50, maxFindings: 1, folder: store });
      expect(files.length).toBeGreaterThan(2);
      expect(new Set(files)).toEqual(new Set([1]));
      const names = readdirSync(store);
      expect(names).toHaveLength(2);
      const { path = "", finding, token } = findings[0] ?? expect.fail("nothing was found");
      const text = readFileSync(path, "utf8");
      expect(text.replaceAll(/^# .*\n/gm, "")).toBe(printTextProgram(finding.program));
      expect(text).toContain(`# replay: replay(create, "${token}"), of sfork/conformance\n`);
      expect(text).not.toContain("npx");
    });

    test("says of earlier findings whether they show again, and does not tell them twice", async () => {
      const store = folder();
      const options: CheckOptions = { seed: "s", runs: 20, folder: store };
      const first = await check(crashing, options);
      expect(first.findings).toHaveLength(1);
      expect(first.regressions).toEqual([]);
      const files = readdirSync(store);
      const again = await check(crashing, options);
      expect(again).toMatchObject({ ok: false, programs: 20, findings: [] });
      expect(again.regressions.map(({ file }) => file)).toEqual([first.findings[0]?.path]);
      expect(again.regressions.map(({ finding }) => finding.kind)).toEqual(["crash"]);
      expect(readdirSync(store)).toEqual(files);
      expect(await check(createFast, options)).toMatchObject({ ok: true, regressions: [], programs: 20 });
    });

    test("leaves out those of strategies and formats that are not checked", async () => {
      const store = folder();
      write(store, "a.sfork", "sfork 1\nconfig strategy=vm-clone\n0: li c7, 1\n");
      write(store, "b.sfork", "sfork 1\nconfig format=morello\n0: li c7, 1\n");
      write(store, "c.json", '{ "version": 1, "steps": [{ "actor": 0, "op": "li", "cd": 7, "n": 1 }] }');
      write(store, "notes.txt", "not a program");
      const options: CheckOptions = { runs: 1, steps: 1, formats: ["cheri128-v9"], folder: store };
      const { regressions, errors } = await check(oneMore, options);
      expect(errors).toEqual([]);
      expect(regressions.map(({ file }) => file)).toEqual([`${store}/c.json`]);
    });

    test("says which files cannot be read, and judges the others", async () => {
      const store = folder();
      write(store, "a.sfork", "sfork 1\n0: li c7\n");
      write(store, "b.sfork", "sfork 1\nconfig page=100\n0: yield\n");
      write(store, "c.sfork", "sfork 1\n0: li c7, 1\n");
      const { ok, errors, regressions } = await check(oneMore, { seed: "s", runs: 1, folder: store });
      expect(ok).toBe(false);
      expect(errors.map(({ message }) => message)).toEqual([
        `${store}/a.sfork:2:4: li takes cd, n; 1 is given`,
        `${store}/b.sfork:2: the configuration is illegal, CFG-1 demands: page is a power of two, at least 256`,
      ]);
      expect(regressions.map(({ file }) => file)).toEqual([`${store}/c.sfork`]);
      expect(await check(createFast, { seed: "s", runs: 1, folder: store })).toMatchObject({ ok: false, findings: [] });
    });

    test("that is none says so, and the finding is told all the same", async () => {
      const store = write(folder(), "file", "");
      const { findings, errors } = await check(crashing, { seed: "s", runs: 20, folder: store });
      expect(findings).toMatchObject([{ finding: { kind: "crash" }, path: undefined }]);
      expect(errors.map(({ message }) => message)).toEqual([
        expect.stringContaining(`${store}: the finding cannot be saved here: `),
      ]);
    });
  });
});

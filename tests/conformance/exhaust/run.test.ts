/** Runs: the same whoever works on them, and however often they are interrupted. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InputError } from "../../../conformance/errors.js";
import { thisThread, threads, type Expanders } from "../../../conformance/exhaust/pool.js";
import { runSearch, type SearchLimits, type SearchResult } from "../../../conformance/exhaust/run.js";
import { removeAtEnd } from "../../support/files.js";

const newFolder = removeAtEnd();

const silent = { found: () => undefined, reached: () => undefined };

const name = { alphabet: "channels", format: "cheri128-v9", strategy: "copa", processes: 2 } as const;

interface Asked {
  readonly folder: string;
  readonly expanders?: Expanders;
  readonly limits?: Partial<SearchLimits>;
  readonly fresh?: boolean;
  readonly implementation?: string;
}

const run = async ({
  folder,
  expanders,
  limits,
  fresh = false,
  implementation = "fast",
}: Asked): Promise<SearchResult> =>
  runSearch(
    { name, implementation, folder, fresh, limits: { depth: 2, findings: 9, deadline: Infinity, ...limits } },
    expanders ?? (await thisThread()),
    silent,
  );

const fileIn = (folder: string): string => {
  const [file, ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  return join(folder, file ?? "");
};

describe("a run", () => {
  test("comes to the same with one worker and with two", async () => {
    const results: unknown[] = [];
    for (const expanders of [await thisThread(), threads(1), threads(2)]) {
      const folder = newFolder();
      const { covered } = await run({ folder, expanders });
      await expanders.close();
      results.push([covered, readFileSync(fileIn(folder)).toString("hex")]);
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  test("that is interrupted again and again comes to what one comes to that is not", async () => {
    const [whole, parts] = [newFolder(), newFolder()];
    const { covered } = await run({ folder: whole });
    const once = async (): Promise<boolean> => {
      const abort = new AbortController();
      const usual = await thisThread();
      let asked = 0;
      const expanders: Expanders = {
        ...usual,
        expand: (...task) => {
          asked += 1;
          // The second task does not come to an end any more.
          if (asked < 2) return usual.expand(...task);
          setImmediate(() => {
            abort.abort();
          });
          return new Promise(() => undefined);
        },
      };
      const part = await run({ folder: parts, expanders, limits: { signal: abort.signal } });
      expect(part.judged).toBeGreaterThanOrEqual(0);
      return !abort.signal.aborted;
    };
    let times = 1;
    while (!(await once())) times += 1;
    expect(times).toBeGreaterThan(2);
    const last = await run({ folder: parts });
    expect([last.covered, last.judged, last.resumed]).toEqual([covered, 0, covered.transitions]);
    expect(readFileSync(fileIn(parts)).equals(readFileSync(fileIn(whole)))).toBe(true);
  });

  test("that was killed while it wrote goes on from its last whole record", async () => {
    const folder = newFolder();
    const { covered } = await run({ folder });
    const file = fileIn(folder);
    const bytes = readFileSync(file);
    for (const length of [0, 10, 200, Math.floor(bytes.length / 2), bytes.length - 1]) {
      truncateSync(file, length);
      const again = await run({ folder });
      expect(again.covered).toEqual(covered);
      expect(again.judged).toBeGreaterThan(0);
      expect(readFileSync(file).equals(bytes)).toBe(true);
    }
  });

  test("goes on deeper from where a shallower one ended", async () => {
    const [folder, whole] = [newFolder(), newFolder()];
    const shallow = await run({ folder, limits: { depth: 1 } });
    const deeper = await run({ folder });
    expect(deeper.resumed).toBe(shallow.judged);
    expect(deeper.covered).toEqual((await run({ folder: whole })).covered);
  });

  test("ends with its time", async () => {
    const { covered, judged } = await run({ folder: newFolder(), limits: { deadline: Date.now() - 1 } });
    expect([covered.depth, judged]).toEqual([0, 0]);
  });
});

describe("a file", () => {
  const refused = async (folder: string, message: RegExp): Promise<void> => {
    const error: unknown = await run({ folder }).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(InputError);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain("\n");
  };

  test("that is damaged is refused, wherever it is, and --fresh begins anew", async () => {
    const folder = newFolder();
    const { covered } = await run({ folder, limits: { depth: 1 } });
    const file = fileIn(folder);
    const bytes = readFileSync(file);
    const first = bytes.indexOf("\n") + 1;
    // In the state's number, in the number of steps, in a step, in a key, in the checksum.
    for (const at of [first, first + 4, first + 20, first + 100, bytes.length - 1]) {
      writeFileSync(file, bytes.with(at, (bytes[at] ?? 0) ^ 0x41));
      await refused(folder, new RegExp(`is damaged at byte ${first}; give --fresh to begin anew$`));
    }
    const fresh = await run({ folder, fresh: true, limits: { depth: 1 } });
    expect([fresh.covered, fresh.resumed]).toEqual([covered, 0]);
  });

  test("of another search is refused", async () => {
    const folder = newFolder();
    await run({ folder, limits: { depth: 1 } });
    const file = fileIn(folder);
    writeFileSync(file, readFileSync(file).with(20, 0x21));
    await refused(folder, /is not of this search, or of another version of it; give --fresh to begin anew$/);
  });

  test("of another implementation is another file", async () => {
    const folder = newFolder();
    await run({ folder, limits: { depth: 1 } });
    const { resumed } = await run({ folder, limits: { depth: 1 }, implementation: "defect B21" });
    expect(resumed).toBe(0);
    expect(readdirSync(folder)).toHaveLength(2);
  });
});

/** Conformance as an assertion: what a test that fails says, and that it says the same each time. */
import { readdirSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  assertConforms,
  InputError,
  NonConformance,
  type AssertOptions,
  type Create,
} from "../../../conformance/index.js";
import { generatorVersion } from "../../../conformance/generate/generate.js";
import { createFast } from "../../../impl/fast/index.js";
import { removeAtEnd, write } from "../../support/files.js";
import { crashing, forgetful, miscounting, oneMore } from "./wrong.js";

const thrown = async (create: Create, options: AssertOptions): Promise<NonConformance> => {
  const error = await assertConforms(create, options).then(
    () => expect.fail("nothing was thrown"),
    (reason: unknown) => reason,
  );
  if (error instanceof NonConformance) return error;
  throw error;
};

const folder = removeAtEnd();

/** A store with one program. */
const storeOf = (...lines: readonly string[]): string => {
  const store = folder();
  write(store, "one.sfork", `sfork 1\n${lines.join("\n")}\n`);
  return store;
};

test("one that is right passes, and saves nothing", async () => {
  const store = `${folder()}/none`;
  await expect(assertConforms(createFast, { seed: "s", runs: 20, folder: store })).resolves.toBeUndefined();
  expect(() => readdirSync(store)).toThrow("ENOENT");
});

describe("the message of a new finding", () => {
  test("is the story of the smallest program, and how to come to it again", async () => {
    const store = folder();
    const error = await thrown(forgetful, { seed: "s", folder: store });
    const lines = error.message.split("\n");
    // One step makes a thread 1.
    expect(error.program.steps.map(({ operation }) => operation.op)).toEqual(["fork"]);
    expect(lines.slice(0, 6)).toEqual([
      "the implementation does not conform",
      "",
      "REF-4: P1 c1 is not as in the specification",
      "also breaks INV-3, INV-4",
      "",
      "sfork 1",
    ]);
    expect(lines.filter((line) => line.startsWith("0: "))).toHaveLength(1);
    const index = lines.indexOf("after it there differ");
    expect(lines[index + 1]).toMatch(/^ {2}P\S+ c1 {2}expected {2}\[P\d\+0x0, P\d\+0x200\) load,/);
    const [saved] = lines.filter((line) => line.startsWith("saved   ")).map((line) => line.slice("saved   ".length));
    expect(lines.at(-1)).toBe(`repeat  replay(create, readFileSync("${saved ?? ""}", "utf8")), of sfork/conformance`);
    expect(lines.at(-3)).toMatch(new RegExp(`^seed s, program \\d+, generator ${generatorVersion}$`));
    expect(readdirSync(store).map((name) => `${store}/${name}`)).toContain(saved);
  });

  test("names the token where nothing is saved", async () => {
    const { message } = await thrown(oneMore, { seed: "s", folder: false });
    expect(message.split("\n").at(-1)).toMatch(/^repeat {2}replay\(create, "sf1:[\w-]+"\), of sfork\/conformance$/);
    expect(message).not.toContain("saved");
  });

  test("says why it was not saved, where it could not be", async () => {
    const store = `${write(folder(), "file", "")}/findings`;
    const { message } = await thrown(oneMore, { seed: "s", folder: store });
    expect(message).toContain(`\nnot saved: ${store}: `);
    expect(message).toContain('\nrepeat  replay(create, "sf1:');
  });

  test.each([
    ["an observation", oneMore],
    ["a register", forgetful],
    ["a count", miscounting],
    ["an exception", crashing],
  ])("is the same, byte by byte, for the same seed: %s", async (_, create) => {
    const [one, two] = [
      await thrown(create, { seed: "s", folder: false }),
      await thrown(create, { seed: "s", folder: false }),
    ];
    expect(two.message).toBe(one.message);
    expect(two.finding).toEqual(one.finding);
  });
});

test("an exception is a finding", async () => {
  const { message, finding } = await thrown(crashing, { seed: "s", folder: false });
  expect(message).toContain("\nREF-4: taking the step throws TypeError: no region at all\n");
  expect(finding.kind).toBe("crash");
  const never = await thrown(
    () => {
      throw new RangeError("no place");
    },
    { seed: "s", folder: false },
  );
  expect(never.message).toContain("\nREF-4: starting the machine throws RangeError: no place\n");
});

test("the error is one of its own, and holds no more for a runner to print", async () => {
  const error = await thrown(oneMore, { seed: "s", folder: false });
  expect(error).toBeInstanceOf(Error);
  expect(error.name).toBe("NonConformance");
  expect(error.code).toBe("SFORK_NONCONFORMANCE");
  expect(error.program).toBe(error.finding.program);
  expect(Object.keys(error).sort()).toEqual(["code", "name"]);
  expect(inspect(error)).not.toContain("steps:");
});

describe("an earlier finding", () => {
  test("is judged first, and told as a regression", async () => {
    const store = storeOf("config strategy=copa format=morello", "0: yield", "0: li c7, 5");
    const { message, program } = await thrown(oneMore, { folder: store });
    const path = `${store}/one.sfork`;
    const lines = message.split("\n");
    expect(lines.slice(0, 3)).toEqual([
      `the implementation does not conform: a regression, ${path} shows a finding again`,
      "",
      "REF-4: P0 thread 0 observes something else than in the specification",
    ]);
    // The smallest program: neither `yield` nor the 5 is needed, nor any strategy, format or number of pages.
    expect(lines).toContain("0: li c7, 0x0");
    expect(message).toMatch(/\nconfig format=cheri128-v9 strategy=eager page=256 pages=4 /);
    expect(lines.slice(-4)).toEqual([
      "  actual    int 0x1",
      "after it registers, memory and counters are as in the specification",
      "",
      `repeat  replay(create, readFileSync("${path}", "utf8")), of sfork/conformance`,
    ]);
    expect(program.steps).toHaveLength(1);
    expect(message).not.toMatch(/^seed /m);
    // Nothing was generated, and nothing new is saved.
    expect(readdirSync(store)).toEqual(["one.sfork"]);
  });

  test("with the fewest steps is told where several show again", async () => {
    const store = storeOf("0: yield", "0: yield", "0: li c7, 5");
    write(store, "two.sfork", "sfork 1\n0: li c7, 5\n");
    expect((await thrown(oneMore, { folder: store })).message).toContain(`${store}/two.sfork shows`);
  });

  test("that does not show again lets the campaign begin", async () => {
    const store = storeOf("0: li c7, 5");
    await expect(assertConforms(createFast, { seed: "s", runs: 5, folder: store })).resolves.toBeUndefined();
    expect((await thrown(crashing, { seed: "s", folder: store })).message).toMatch(
      /^the implementation does not conform\n/,
    );
  });

  test("that was found by the assertion is one from then on", async () => {
    const store = folder();
    const first = await thrown(crashing, { seed: "s", folder: store });
    const second = await thrown(crashing, { seed: "other", folder: store });
    expect(first.message).not.toContain("regression");
    expect(second.message).toContain("a regression, ");
    expect(second.finding.key).toBe(first.finding.key);
  });

  test("that cannot be read is no success", async () => {
    const store = storeOf("0: li");
    const refused = await assertConforms(createFast, { seed: "s", runs: 1, folder: store }).catch(
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(InputError);
    expect(refused).toMatchObject({ message: `${store}/one.sfork:2:4: li takes cd, n; 0 are given` });
    // What is found by the way is told all the same.
    expect((await thrown(crashing, { seed: "s", folder: store })).finding.kind).toBe("crash");
  });
});

test("one that was ended early is no success", async () => {
  const reason = new Error("enough");
  const options = { runs: 5, folder: false, signal: AbortSignal.abort(reason) } as const;
  await expect(assertConforms(createFast, options)).rejects.toBe(reason);
});

test("options are refused in one line, with the name of the function", async () => {
  await expect(assertConforms(createFast, { maxFindings: 3 } as AssertOptions)).rejects.toThrow(
    /^assertConforms: maxFindings: is no option; there are formats, strategies, profile, steps, seed, runs, time, signal, folder$/,
  );
  await expect(assertConforms(createFast, { folder: true } as unknown as AssertOptions)).rejects.toThrow(
    "assertConforms: folder: give the path of a folder, or false for none",
  );
});

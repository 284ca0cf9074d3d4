/** Implementations in other processes: what goes wrong with one is told, and nothing of it is left. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { External, LineReader } from "../../../impl/external/index.js";

const fixture = fileURLToPath(new URL("../../support/implementation.mjs", import.meta.url));

const start = (mode: string, argument = ""): External =>
  new External({
    command: `"${process.execPath}" "${fixture}" ${mode} ${argument}`,
    hello: '{"type":"hello","protocol":1}',
    mark: `test-${mode}-${argument}-${process.pid.toString()}`,
    log: () => undefined,
  });

const runLine = (id: number, op = "yield"): string =>
  JSON.stringify({ type: "run", id, config: {}, steps: [{ process: 0, thread: 0, op, cd: 1, n: "0x1" }] });

const limit = 3000;

describe("an implementation that", () => {
  test.for([
    ["exit", "crash", "ended with status 3: panic: out of luck"],
    ["hang", "hang", "gives no answer within 0.5 s"],
    ["garbage", "protocol", "answers with what is no JSON object"],
    ["endless", "protocol", "answers with more than 8388608 bytes"],
    ["other", "protocol", "answers with the id 8, not 7"],
    ["refuses", "protocol", "answers with an error: too much"],
  ] as const)("goes wrong (%s) is told with what it does: %s, %s", async ([mode, kind, why]) => {
    const external = start(mode);
    const outcome = await external.ask(7, runLine(7), mode === "hang" ? 500 : limit);
    await external.close();
    expect(outcome).toStrictEqual({ kind, why });
  });

  test("is ended by one of several requests is asked for each by itself, and only that one is blamed", async () => {
    const external = start("crash");
    const ops = ["yield", "getppid", "yield", "getppid", "yield"];
    const outcomes = await Promise.all(ops.map((op, id) => external.ask(id, runLine(id, op), limit)));
    await external.close();
    expect(outcomes.map(({ kind }) => kind)).toStrictEqual(["answer", "crash", "answer", "crash", "answer"]);
    expect(outcomes[1]).toMatchObject({ why: "was ended by SIGKILL" });
  });

  test("answers twice is found out by what is asked next", async () => {
    const external = start("twice");
    const outcomes = await Promise.all([0, 1].map((id) => external.ask(id, runLine(id), limit)));
    await external.close();
    expect(outcomes.map(({ kind }) => kind)).toContain("protocol");
  });

  test("cannot be started is tried some times, and gone", async () => {
    const external = start("nothing");
    const outcome = await external.ask(0, runLine(0), limit);
    await external.close();
    expect(outcome).toStrictEqual({ kind: "gone", why: "ended with status 7" });
  });

  test.skipIf(process.platform !== "linux")(
    "makes children leaves none of them, in its group or in others (on Linux)",
    async () => {
      const argument = `orphan-${process.pid.toString()}`;
      const alive = (): number =>
        readdirSync("/proc").filter((pid) => {
          try {
            return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").at(-2) === argument;
          } catch {
            return false;
          }
        }).length;
      const external = start("children", argument);
      expect(await external.ask(0, runLine(0), limit)).toMatchObject({ kind: "answer" });
      expect(alive()).toBeGreaterThanOrEqual(2);
      await external.close();
      // Who was killed is gone when its parent has noticed.
      for (let tries = 0; tries < 50 && alive() > 0; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      expect(alive()).toBe(0);
    },
  );
});

describe("lines", () => {
  const read = (reader: LineReader, pieces: readonly string[]) =>
    pieces.flatMap((piece) => reader.push(Buffer.from(piece)));

  test("are put together from pieces, and told apart", () => {
    const reader = new LineReader();
    expect(read(reader, ["ab", "c\nd", "\n\n", "e"])).toStrictEqual([{ text: "abc" }, { text: "d" }, { text: "" }]);
    expect(reader.end()).toStrictEqual([{ text: "e" }]);
    expect(reader.end()).toStrictEqual([]);
  });

  test("that are too long are told once, as soon as they are, and skipped to their end", () => {
    const reader = new LineReader(4);
    expect(read(reader, ["abcd\n"])).toStrictEqual([{ text: "abcd" }]);
    expect(read(reader, ["abc", "de", "fghij", "\nok\n"])).toStrictEqual([{ tooLong: true }, { text: "ok" }]);
    expect(reader.end()).toStrictEqual([]);
  });
});

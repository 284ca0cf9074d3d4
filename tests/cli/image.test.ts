/** `sfork image` as a user types it. */
import { expect, describe, test } from "vitest";
import { imageCommand } from "../../cli/image.js";
import { removeAtEnd, write } from "../support/files.js";
import { pageOf, makeCore, smallCore, stack } from "../conformance/image/cores.js";
import { running } from "./support.js";

const temporary = removeAtEnd();
const image = running(imageCommand);
const small = (): string => write(temporary(), "small.core", smallCore());

describe("what it prints", () => {
  test("a summary, the forks, where pointers lead, and the first granule of what is known to be false", async () => {
    const { code, stdout } = await image(small());
    expect(stdout).toMatch(/small\.core: x86-64, 3 segments, 3 mappings, 1 thread\ninferred pointer graph: /);
    expect(stdout).toMatch(
      /\npointers +3, 0\.2 % of all words; 1 not aligned to 8 bytes; 2 pages \(66\.7 %\) hold one\n/,
    );
    expect(stdout).toMatch(/\neager +0 +6 +3 +6 +none\n/);
    expect(stdout).toMatch(/\nnaive-cow +3 +0 +0 +3 +0\n/);
    expect(stdout).toMatch(
      /\nnaive-cow: the first granule that breaks INV-1, INV-2, INV-3 is P1 page 4 granule 2 \(0x600010 in anonymous\)\n/,
    );
    expect(stdout).toMatch(/\nthe specification took the same forks, and was judged granule by granule\n$/);
    expect(code).toBe(0);
  });

  test("the map from old to new, and a pair", async () => {
    const [core, maps] = [
      small(),
      "400000-401000 r-xp 0 00:00 0 /usr/bin/small\n600000-602000 rw-p 0 00:00 0 [heap]\n",
    ];
    const file = write(temporary(), "maps", `${maps}7ffd00000000-7ffd00001000 rw-p 0 00:00 0 [stack]\n`);
    const args = ["--maps", file, "--pair", core, "--pair-maps", file, "--layout", "--strategy", "copa"];
    const { code, stdout } = await image(core, ...args);
    expect(stdout).toMatch(/\n0x600000-0x602000 +0x[\da-f]+4000 +4 +rw- {2}\[heap\]\n/);
    expect(stdout).toContain("3 mappings in both, 0 of them elsewhere; 3 pages compared word by word");
    expect(stdout).not.toContain("naive-cow");
    expect(code).toBe(0);
  });

  test("one JSON object", async () => {
    const { code, stdout } = await image("--json", small(), "--strategy", "eager,naive-cow");
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      graph: "inferred",
      pages: 3,
      pointers: 3,
      strategies: [
        { name: "eager", violations: [], counters: { child: { copies: 6, relocations: 3 } } },
        {
          name: "naive-cow",
          isolating: false,
          violations: [{ rule: "INV-1", count: 3 }, { rule: "INV-2" }, { rule: "INV-3" }],
        },
      ],
    });
    expect(code).toBe(0);
  });

  test("an image that is too large for the specification says so", async () => {
    const bytes = Buffer.concat(Array.from({ length: 513 }, () => pageOf({ 0: BigInt(stack) })));
    const core = write(temporary(), "large.core", makeCore({ pieces: [{ start: stack, bytes, flags: 6 }] }));
    const { code, stdout } = await image(core, "--strategy", "copa");
    expect(stdout).toMatch(
      /\nthe specification was not asked: it takes up to 1,024 widened pages, and this has 1,026\n$/,
    );
    expect(code).toBe(0);
  });
});

test.each([
  ["a file that is not there", () => ["none.core"], "none.core: no such file; check the path\n"],
  [
    "maps that are none",
    () => [small(), "--maps", "package.json"],
    /^package\.json:1: "\{" is no line of \/proc\/PID\/maps; .*\n$/,
  ],
  [
    "a second core that is none",
    () => [small(), "--pair", "package.json"],
    /^package\.json: is not an ELF file; make one with gcore PID\n$/,
  ],
  [
    "maps of a second core that is not named",
    () => [small(), "--pair-maps", "package.json"],
    "sfork: --pair-maps is of a second core; name that with --pair\n",
  ],
])("%s is one line, and status 2", async (_, args, line) => {
  const { code, stdout, stderr } = await image(...args());
  expect(stderr).toMatch(line);
  expect([code, stdout]).toEqual([2, ""]);
});

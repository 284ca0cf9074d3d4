/** Stories of findings: the program, what is expected, the first difference, and where else the two sides differ. */
import { describe, expect, test } from "vitest";
import { judgeBeside } from "../../../conformance/check/beside.js";
import type { Finding } from "../../../conformance/check/finding.js";
import { printStory } from "../../../conformance/check/story.js";
import type { Implementation, View } from "../../../impl/implementation.js";
import type { Config } from "../../../spec/sfork/config.js";
import { program } from "./support.js";
import { crashing, forgetful, miscounting, oneMore, viewing, withRegisters, wrong } from "./wrong.js";

type Create = (config: Config) => Implementation;

const findingOf = (create: Create, ...lines: readonly string[]): Finding => {
  const { finding } = judgeBeside(program(...lines), create, { full: true });
  if (finding === undefined) throw new Error("nothing was found");
  return finding;
};

const story = (create: Create, ...lines: readonly string[]): readonly string[] =>
  printStory(findingOf(create, ...lines), create);

/** A configuration says everything when it is printed; the tests below are about the rest. */
const withoutConfig = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => !line.startsWith("config "));

/** What stands behind the first difference. */
const after = (lines: readonly string[]): readonly string[] =>
  lines.slice(lines.findIndex((line) => line.startsWith("  actual  ")) + 1);

const rights = "load,store,load-cap,store-cap,global";

test("an observation: all there is to it", () => {
  const lines = story(oneMore, "config strategy=copa", "0: cmove c8, c1", "0: li c7, 5", "0: yield");
  expect(lines.filter((line) => line.startsWith("config "))).toEqual([
    expect.stringMatching(/^config format=cheri128-v9 strategy=copa page=256 pages=8 /),
  ]);
  expect(withoutConfig(lines)).toEqual([
    "REF-4: P0 thread 0 observes something else than in the specification",
    "",
    "sfork 1",
    "0: cmove c8, c1",
    "0: li c7, 0x5",
    "expect int 0x5",
    "",
    "the specification",
    ` 0  P0  cmove c8, c1  -> cap tag=1 base=P0+0x0 top=P0+0x400 address=P0+0x0 permissions=${rights} otype=unsealed flags=0x0`,
    "        P0 c8 holds [P0+0x0, P0+0x400)",
    " 1  P0  li c7, 0x5    -> int 0x5",
    "",
    "step 1 is the first that differs",
    "  expected  int 0x5",
    "  actual    int 0x6",
    "after it registers, memory and counters are as in the specification",
  ]);
});

test("a register of a child", () => {
  const lines = story(forgetful, "config strategy=copa", "0: fork c7");
  expect(lines[0]).toBe("REF-4: P1 c1 is not as in the specification");
  // Slot 1 begins a stride behind slot 0; an untagged word has no region, and keeps its numbers.
  const lost = after(lines);
  expect(lost.slice(0, 2)).toEqual(["after it there differ", `  P1 c1  expected  [P1+0x0, P1+0x400) ${rights}`]);
  expect(lost[2]).toMatch(/^ {9}actual {4}untagged \[0x[\da-f]+, 0x[\da-f]+\) load,store/);
  expect(lost).toHaveLength(3);
});

test("a thread that is not the first of its process, and the program counter", () => {
  const create = viewing((view) =>
    withRegisters(view, 1, (register, index) => (index >= 15 ? { ...register, flags: register.flags + 1n } : register)),
  );
  const lost = after(story(create, "0: thread"));
  expect(lost.map((line) => /^ {2}(P\S+ \S+) /.exec(line)?.[1]).filter((name) => name !== undefined)).toEqual([
    "P0.t1 c15",
    "P0.t1 pcc",
  ]);
  // What is told alike is shown to the last bit.
  expect(lost[1]).toMatch(/; metadata 0x0, address 0x0, flags 0x0$/);
  expect(lost[2]).toMatch(/; metadata 0x0, address 0x0, flags 0x1$/);
});

/** A view in which granules of one process's page are replaced. */
const withGranule = (process: number, page: number, granule: number): Create =>
  viewing((view) => ({
    ...view,
    processes: new Map(
      Array.from(view.processes, ([key, one]) => [
        key,
        key !== process
          ? one
          : {
              ...one,
              pages: one.pages.map((seen, index) =>
                seen === undefined || index !== page
                  ? seen
                  : { ...seen, granules: seen.granules.with(granule, { tag: false, bits: 0xabn }) },
              ),
            },
      ]),
    ),
  }));

describe("memory", () => {
  test("a granule is called by its address", () => {
    // Page 1 begins at 0x100; its granule 2, of 16 bytes, 0x20 behind that.
    const lines = story(withGranule(1, 1, 2), "config strategy=copa", "0: storecap c1, 0x120(c1)", "0: fork c7");
    // The first line calls it so, too.
    expect(lines[0]).toBe("REF-4: P1+0x120 is not as in the specification");
    expect(after(lines)).toEqual([
      "after it there differ",
      `  P1+0x120  expected  [P1+0x0, P1+0x400) ${rights}`,
      "            actual    no capability, bytes 0xab",
    ]);
  });

  test("whatever its size", () => {
    // Granules of rvy64 have 8 bytes.
    const lines = story(withGranule(0, 0, 4), "config format=rvy64", "0: yield");
    expect(after(lines)).toEqual([
      "after it there differ",
      "  P0+0x20  expected  no capability, bytes 0x0",
      "           actual    no capability, bytes 0xab",
    ]);
  });

  test("a shared segment, a message, and what the kernel holds", () => {
    const isLate = ({ processes }: View): boolean => processes.get(0)?.held.length === 3;
    const create = viewing((view) =>
      !isLate(view)
        ? view
        : {
            ...view,
            segments: view.segments.map((granules) => granules.with(3, { tag: false, bits: 5n })),
            channels: [[]],
            processes: new Map(
              Array.from(view.processes, ([key, one]) => [
                key,
                { ...one, held: one.held.map((held) => ({ ...held, tag: !held.tag })) },
              ]),
            ),
          },
    );
    const lost = after(story(create, "0: channel", "0: sendcap 0, c1", "0: sigaction 10, handler c3, c1"));
    const places = lost.filter((line) => line.includes("  expected  ")).map((line) => line.split("  expected  "));
    expect(places.map(([name]) => name?.trim())).toEqual([
      "P0 handler 10 code",
      "P0 handler 10 data",
      "P0 alternate stack",
      "S0+0x30",
      "channel 0 message 0",
    ]);
    expect(places.map(([, content]) => content)).toContain(`[P0+0x0, P0+0x400) ${rights}`);
    expect(lost.at(-1)).toMatch(/^ +actual {4}nothing$/);
  });

  test("a page, its protection, a slot, a process and a thread too many", () => {
    const create = viewing((view) => {
      const [[, first] = []] = view.processes;
      if (first === undefined) return view;
      const [page, ...pages] = first.pages;
      const executable = { read: true, write: true, execute: true };
      const wrongPages = [undefined, page && { ...page, protection: executable }, ...pages.slice(1)];
      const processes = new Map([
        [0, { ...first, slot: 2, pages: wrongPages }],
        [1, first],
      ]);
      return { ...view, processes, threads: new Map([...view.threads, [4, []]]) };
    });
    expect(after(story(create, "0: yield"))).toEqual([
      "after it there differ",
      "  thread 4               expected  does not live",
      "                         actual    lives",
      "  P1                     expected  does not live",
      "                         actual    lives",
      "  P0 slot                expected  0",
      "                         actual    2",
      "  P0 page 0 at P0+0x0    expected  mapped rw-",
      "                         actual    not mapped",
      "  P0 page 1 at P0+0x100  expected  mapped rw-",
      "                         actual    mapped rwx",
    ]);
  });
});

test("a count", () => {
  const lines = story(miscounting, "config strategy=eager", "0: fork c7");
  // Four data pages, the stack and the code of the parent are copied when they are forked eagerly.
  expect(after(lines)).toEqual(["after it there differ", "  P1 copies  expected  6", "             actual    7"]);
});

test("twenty lines at most, and how many places are not shown", () => {
  const create = viewing((view) => withRegisters(view, 0, (register) => ({ ...register, tag: !register.tag })));
  const lost = after(story(create, "0: yield"));
  // Sixteen registers and the program counter, ten of them shown.
  expect(lost).toHaveLength(1 + 2 * 10 + 1);
  expect(lost.at(-1)).toBe("  and 7 more places");
});

test("an exception", () => {
  const lines = withoutConfig(story(crashing, "0: yield", "0: fork c7"));
  expect(lines[0]).toBe("REF-4: taking the step throws TypeError: no region at all");
  expect(lines.slice(-3)).toEqual([
    "step 1 is the first that differs",
    "  expected  no exception",
    "  actual    TypeError: no region at all",
  ]);
});

test("an implementation that does not even start", () => {
  const create = (): Implementation => {
    throw new RangeError("no place");
  };
  const lines = withoutConfig(story(create, "0: yield"));
  expect(lines[0]).toBe("REF-4: starting the machine throws RangeError: no place");
  expect(lines).toContain("the start is what differs");
  expect(lines).not.toContain("the specification");
});

test("views that cannot be taken do not hide what was found", () => {
  const create: Create = (config) => ({
    ...oneMore(config),
    view: () => {
      throw new Error("no view");
    },
  });
  const finding = findingOf(create, "0: li c7, 5");
  expect(finding.kind).toBe("observation");
  expect(printStory(finding, create).at(-1)).toBe("what there is to be seen after it cannot be told: Error: no view");
});

test("without an implementation nothing is said of places; other rules and flaky ones are", () => {
  const finding = findingOf(forgetful, "0: fork c7");
  const lines = printStory({ ...finding, kind: "flaky", also: ["INV-1", "INV-3"] });
  expect(lines.slice(1, 3)).toEqual([
    "also breaks INV-1, INV-3",
    "it did not show again: what is checked depends on more than the program",
  ]);
  expect(after(lines)).toEqual([]);
});

test("what the implementation finds wrong itself", () => {
  const create = wrong(() => ({ check: () => ["INV-8: frame 3 counts 2 mappings, and has 1"] }));
  const lines = story(create, "0: yield");
  expect(lines[0]).toBe("REF-4: INV-8 does not hold in its own structures");
  expect(lines.slice(-2)).toEqual([
    "  actual    frame 3 counts 2 mappings, and has 1",
    "after it registers, memory and counters are as in the specification",
  ]);
});

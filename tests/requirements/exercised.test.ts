/** What does not count as exercised: programs that come near a requirement, and lack what would show it. */
import { describe, expect, test } from "vitest";
import { exercisedBy } from "../../conformance/requirements/witness.js";
import { modelled } from "../../conformance/requirements/table.js";
import { read } from "../conformance/program/files.js";
import { configOf, programOf, programs } from "./programs.js";
import { completeConfig } from "../../spec/sfork/config.js";

const exercised = (...lines: readonly string[]): readonly string[] => {
  const { config: given, steps } = read(["sfork 1", ...lines].join("\n"));
  const config = completeConfig(given);
  if ("illegal" in config) throw new Error(config.illegal);
  return exercisedBy(config, steps);
};

describe("nothing is exercised", () => {
  test("without a fork", () => {
    const lines = [
      "store.b 5, 0(c1)",
      "load.bu c8, 0(c1)",
      "store.b 5, 0(c6)",
      "load.bu c8, 0(c6)",
      "storecap c1, 0(c1)",
    ];
    const more = ["loadcap c8, 0(c1)", "csub c9, c8, c1", "getpid c8", "getppid c8", "umask 0", "umask 5", "alarm 5"];
    const objects = [
      "pipe",
      "write 1, c1, 4",
      "read 0, c1, 4",
      "read 0, c1, 4",
      "open f, read write create",
      "lock 2, 0, 5",
    ];
    const signals = [
      "sigmask 10",
      "kill P0, 10",
      "sigpending",
      "burn",
      "times self",
      "getpgid",
      "exec",
      "load.bu c8, 0(c1)",
    ];
    expect(exercised(...[...lines, ...more, ...objects, ...signals].map((line) => `0: ${line}`))).toEqual([]);
  });

  test("by a fork alone", () => {
    expect(exercised("0: store.b 5, 0(c1)", "0: sigmask 10", "0: pipe", "0: fork c7")).toEqual([]);
  });
});

/** Programs that come near a requirement, and why they miss it. */
const near: readonly (readonly [id: string, why: string, lines: readonly string[]])[] = [
  [
    "M01",
    "the child has stored there itself",
    ["0: store.b 5, 0(c1)", "0: fork c7", "1: store.b 6, 0(c1)", "1: load.bu c8, 0(c1)"],
  ],
  ["M01", "it reads another byte", ["0: store.b 5, 0(c1)", "0: fork c7", "1: load.bu c8, 1(c1)"]],
  ["M01", "the child has another image", ["0: store.b 5, 0(c1)", "0: fork c7", "1: exec", "1: load.bu c8, 0(c1)"]],
  [
    "M02",
    "the parent has stored over it",
    ["0: fork c7", "1: store.b 6, 0(c1)", "0: store.b 7, 0(c1)", "0: load.bu c8, 0(c1)"],
  ],
  ["M03", "the parent stored before", ["0: store.b 6, 0(c1)", "0: fork c7", "1: load.bu c8, 0(c1)"]],
  ["M05", "it reads what it stored itself", ["0: fork c7", "1: store.b 6, 0(c6)", "1: load.bu c8, 0(c6)"]],
  ["M08", "the page is protected after the fork", ["0: fork c7", "1: mprotect c1, 0x100, r", "1: store.b 6, 0(c1)"]],
  ["D01", "the child has opened it itself", ["0: fork c7", "1: open f, read create", "1: fcntl_getfd 0"]],
  [
    "D02",
    "each has opened the file",
    ["0: fork c7", "0: open f, read create", "1: open f, read", "0: lseek 0, 1, set", "1: lseek 0, 0, cur"],
  ],
  ["D07", "the reader itself could write", ["0: pipe", "0: fork c7", "0: read 0, c1, 1"]],
  ["D08", "the writer itself could read", ["0: pipe", "0: fork c7", "0: write 1, c1, 1"]],
  [
    "K01",
    "the parent locks after the fork",
    ["0: open f, read write create", "0: fork c7", "0: lock 0, 0, 5", "1: lock 0, 0, 5"],
  ],
  ["G01", "nothing was pending", ["0: sigmask 10", "0: fork c7", "1: sigpending"]],
  ["G02", "the child has masked it itself", ["0: fork c7", "1: sigmask 10", "0: kill P1, 10", "1: yield"]],
  ["G03", "the child has set it itself", ["0: fork c7", "1: sigaction 10, ignore", "1: getaction 10"]],
  [
    "G04",
    "the child has set it itself",
    ["0: fork c7", "1: sigaction 10, handler c3, c1", "0: kill P1, 10", "1: yield"],
  ],
  ["T01", "the alarm is the child's own", ["0: fork c7", "1: alarm 5", "1: alarm 0"]],
  ["H01", "the parent has one thread", ["0: fork c7", "0: thread", "1: yield"]],
  ["A04", "nobody has changed it before", ["0: fork c7", "1: umask 0", "1: umask 0"]],
  ["W03", "the child lives", ["0: fork c7", "0: kill P1, 0"]],
  ["W04", "there was no child", ["0: wait c8", "0: wait c8"]],
  ["W06", "a stopped process takes no step", ["0: fork c7", "1: fork c7", "0: kill P1, 19", "1: wait c8"]],
  ["W07", "the parent lives", ["0: fork c7", "1: fork c7", "2: getppid c8"]],
  ["E01", "there is no descriptor", ["0: fork c7", "1: exec", "1: getpid c8"]],
];

test.each(near)("%s is not where %s", (id, _, lines) => {
  expect(modelled.map((row) => row.id)).toContain(id);
  expect(exercised(...lines)).not.toContain(id);
});

test("no requirement is exercised by nearly every program", () => {
  const all = [...programs.keys()].map((id) => exercisedBy(configOf(programOf(id)), programOf(id).program.steps));
  const often = modelled.filter(({ id }) => all.filter((ids) => ids.includes(id)).length > programs.size / 2);
  expect(often.map(({ id }) => id)).toEqual([]);
});

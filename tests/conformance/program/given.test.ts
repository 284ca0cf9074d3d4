/** Programs as a user of the library reads and writes them. */
import { expect, test } from "vitest";
import {
  completeProgram,
  InputError,
  printJsonProgram,
  printTextProgram,
  readProgram,
} from "../../../conformance/index.js";

const text = "sfork 1\nconfig strategy=copa\n0: li c7, 5\nexpect int 0x5\n";

test("text and JSON are read, complete, and each printed as the other", () => {
  const program = readProgram(text);
  expect(program.steps).toEqual([
    { actor: 0, operation: { op: "li", cd: 7, n: { immediate: 5n } }, expect: { int: "0x5" } },
  ]);
  // The defaults of CFG-1.
  expect(program.config).toMatchObject({ format: "cheri128-v9", strategy: "copa", page: 256, pages: 8, processes: 8 });
  expect(readProgram(printTextProgram(program))).toEqual(program);
  expect(readProgram(printJsonProgram(program))).toEqual(program);
});

test("what is wrong is thrown in one line, with its place", () => {
  const thrown = (read: () => unknown): unknown => {
    try {
      return read();
    } catch (error) {
      return error;
    }
  };
  const unread = thrown(() => readProgram("sfork 1\n0: lee c7, 5\n", "mine.sfork"));
  expect(unread).toBeInstanceOf(InputError);
  expect(unread).toMatchObject({ code: "SFORK_INPUT", file: "mine.sfork", line: 2, column: 4 });
  expect(String(unread)).toMatch(/^InputError: mine\.sfork:2:4: lee is not an operation/);
  const illegal = thrown(() => completeProgram({ version: 1, config: { pages: 3 }, steps: [] }));
  expect(String(illegal)).toBe(
    "InputError: program:1: the configuration is illegal, CFG-1 demands: a region has at least 4 pages",
  );
  const none = thrown(() => completeProgram({ version: 1, config: {}, steps: [{ actor: -1 }] } as never));
  expect(String(none)).toMatch(/^InputError: program: the value is no program; /);
});

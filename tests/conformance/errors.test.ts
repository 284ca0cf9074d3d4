/** Texts of others as a message may quote them. */
import { expect, test } from "vitest";
import { crashMessage } from "../../conformance/check/judge.js";
import { plainLine } from "../../conformance/errors.js";

test("a text of somebody else's is one line, and nothing that a terminal obeys", () => {
  expect(plainLine("no region\r\n\tat all")).toBe("no region at all");
  expect(plainLine("\u0000 \u001B[31m \u009B \u202E \uD800 \u{E0001}")).toBe(
    "\\u0000 \\u001b[31m \\u009b \\u202e \\ud800 \\u{e0001}",
  );
  expect(plainLine("größer als 3 µs 👍")).toBe("größer als 3 µs 👍");
});

test("whatever is thrown has a message", () => {
  expect(crashMessage(new TypeError("a\u001B[2J\u0000b"))).toBe("TypeError: a\\u001b[2J\\u0000b");
  expect(crashMessage("x".repeat(1000))).toHaveLength(301);
  expect(crashMessage(Object.create(null))).toBe("something that has no text");
});

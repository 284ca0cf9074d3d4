/** `sfork oracle`: the specification as a server on standard input and output. */
import { once } from "node:events";
import process from "node:process";
import { Command } from "commander";
import { longestLine } from "../conformance/protocol/messages.js";
import { LineReader, type Line } from "../conformance/protocol/lines.js";
import { answerLine, refusal, type Reply } from "../conformance/protocol/oracle.js";
import { exitCodes, type ExitCode } from "./errors.js";

const examples = `
Examples:
  $ echo '{"steps":[{"actor":0,"op":"fork","cd":7}]}' | sfork oracle
  $ sfork generate --runs 1000 --seed 1 | sfork oracle > observations.jsonl
  $ sfork check --impl exec:"sfork oracle" --time 10s

Each line is a program: a run of the protocol, or a program file's JSON on one line. Each is answered, in turn, by a line
with what every step observes, or by an error that says what is wrong with it. docs/protocol.md has all messages.

Exit status: 0 the input has ended; 3 another version of the protocol was asked for, or the output cannot be written.`;

const replyTo = (line: Line, number: number): Reply | undefined => {
  if ("tooLong" in line) return refusal(number, "too-long", `a line has at most ${longestLine} bytes; send less at once`);
  // Between messages an empty line does no harm.
  return line.text.trim() === "" ? undefined : answerLine(number, line.text);
};

const serve = async (done: (code: ExitCode) => void): Promise<void> => {
  const reader = new LineReader();
  let number = 0;
  let isOver = false;
  // Whoever reads no more wants no more.
  process.stdout.on("close", () => {
    isOver = true;
  });
  const answer = async (lines: readonly Line[]): Promise<void> => {
    for (const line of lines) {
      number += 1;
      const reply = replyTo(line, number);
      if (reply === undefined || isOver) continue;
      if (!process.stdout.write(`${reply.text}\n`)) await Promise.race([once(process.stdout, "drain"), once(process.stdout, "close")]);
      if (!reply.last) continue;
      done(exitCodes.environment);
      isOver = true;
    }
  };
  for await (const piece of process.stdin as AsyncIterable<Uint8Array>) {
    await answer(reader.push(piece));
    if (isOver) return;
  }
  await answer(reader.end());
};

export const oracleCommand = (done: (code: ExitCode) => void): Command =>
  new Command("oracle")
    .description("answer programs, a line each, with what the specification observes: an oracle for other programs")
    .addHelpText("after", examples)
    .action(() => serve(done));

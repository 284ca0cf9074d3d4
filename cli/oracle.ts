/** `sfork oracle`: the specification as a server on standard input and output. */
import process from "node:process";
import { Command } from "commander";
import { answerLine, refusal, type Reply } from "../conformance/protocol/oracle.js";
import { LineReader, longestLine, type Line } from "../impl/external/lines.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { writeLine } from "./output.js";

const examples = `
Examples:
  $ echo '{"steps":[{"actor":0,"op":"fork","cd":7}]}' | sfork oracle
  $ sfork generate --runs 1000 --seed 1 | sfork oracle > observations.jsonl
  $ sfork check --impl exec:"sfork oracle" --time 10s

Each line is a program: a run of the protocol, or a program file's JSON on one line. Each is answered, in turn, by a line
with what every step observes, or by an error that says what is wrong with it. docs/protocol.md has all messages.

Exit status: 0 the input has ended; 3 another version of the protocol was asked for, or the output cannot be written.`;

const replyTo = (line: Line, number: number): Reply | undefined => {
  if ("tooLong" in line)
    return refusal(number, "too-long", `a line has at most ${longestLine} bytes; send less at once`);
  // Between messages an empty line does no harm.
  return line.text.trim() === "" ? undefined : answerLine(number, line.text);
};

const serve = async (done: (code: ExitCode) => void): Promise<void> => {
  const reader = new LineReader();
  let number = 0;
  // Whoever reads no more wants no more.
  const over = new AbortController();
  process.stdout.on("close", () => {
    over.abort();
  });
  const answer = async (lines: readonly Line[]): Promise<void> => {
    for (const line of lines) {
      number += 1;
      const reply = replyTo(line, number);
      if (reply === undefined || over.signal.aborted) continue;
      await writeLine(reply.text);
      if (!reply.last) continue;
      done(exitCodes.environment);
      over.abort();
    }
  };
  for await (const piece of process.stdin as AsyncIterable<Uint8Array>) {
    await answer(reader.push(piece));
    if (over.signal.aborted) return;
  }
  await answer(reader.end());
};

export const oracleCommand = (done: (code: ExitCode) => void): Command =>
  new Command("oracle")
    .description("answer programs, a line each, with what the specification observes: an oracle for other programs")
    .addHelpText("after", examples)
    .action(() => serve(done));

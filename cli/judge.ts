/** `sfork judge`: what a system that cannot be driven live has observed, judged afterwards. */
import { createReadStream } from "node:fs";
import process from "node:process";
import { Command, Option } from "commander";
import { isLeft } from "fp-ts/lib/Either.js";
import { z } from "zod";
import { judgeAnswer } from "../conformance/check/answers.js";
import type { CompleteProgram, Finding } from "../conformance/check/finding.js";
import { defaultMaxFindings } from "../conformance/check/saved.js";
import { InputError, whyUnreadable } from "../conformance/errors.js";
import { plural } from "../conformance/plural.js";
import { programCodec } from "../conformance/program/json.js";
import { printTextProgram } from "../conformance/program/print.js";
import { isObject, printProblem } from "../conformance/program/strict.js";
import { decodeAsked, type Hello } from "../conformance/protocol/messages.js";
import { completeConfig } from "../spec/sfork/config.js";
import { LineReader, longestLine } from "../impl/external/lines.js";
import { wholeOf } from "./check-options.js";
import { readHello } from "./declaration.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { complain, out } from "./output.js";

const examples = `
Examples:
  $ sfork generate --hello hello.json --runs 1000 --seed 1 > programs.jsonl
  $ my-board-runner programs.jsonl > observations.jsonl
  $ sfork judge programs.jsonl observations.jsonl --hello hello.json

PROGRAMS holds runs of the protocol, a line each, as sfork generate prints them; OBSERVATIONS a result for each, in any order, by
its id (docs/protocol.md). What was chosen freely is judged by what it says. --hello says whether regions lie where the
configuration says; without it they lie anywhere.

Exit status: 0 all held; 1 a finding, or a program without a result; 2 wrong usage, or input that cannot be read.`;

const optionsSchema = z.object({
  hello: z.string().optional(),
  maxFindings: z.number(),
  json: z.boolean().default(false),
});

type Options = z.infer<typeof optionsSchema>;

/** Lines of a file, with their numbers; throws the `InputError` of what cannot be read. */
async function* linesOf(file: string): AsyncGenerator<{ readonly number: number; readonly text: string }, void, void> {
  const reader = new LineReader();
  let number = 0;
  const stream = file === "-" ? process.stdin : createReadStream(file);
  try {
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      for (const line of reader.push(piece)) {
        number += 1;
        if ("tooLong" in line) throw new InputError(file, number, `the line has more than ${longestLine} bytes`);
        yield { number, text: line.text };
      }
    }
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(file, undefined, whyUnreadable(error));
  }
  for (const line of reader.end()) if ("text" in line) yield { number: number + 1, text: line.text };
}

const objectOf = (file: string, number: number, text: string): Readonly<Record<string, unknown>> => {
  const wrong = new InputError(file, number, "this is no JSON object; there is a message on each line");
  try {
    const json: unknown = JSON.parse(text);
    if (isObject(json)) return json;
  } catch {
    throw wrong;
  }
  throw wrong;
};

const idOf = (file: string, number: number, json: Readonly<Record<string, unknown>>): number => {
  if (typeof json["id"] === "number" && Number.isSafeInteger(json["id"])) return json["id"];
  throw new InputError(file, number, "the message has no id, a whole number");
};

/** Results by id: the text, which is looked into when its program comes. */
const resultsOf = async (file: string): Promise<ReadonlyMap<number, string>> => {
  const results = new Map<number, string>();
  for await (const { number, text } of linesOf(file)) {
    if (text.trim() === "") continue;
    const json = objectOf(file, number, text);
    // Answers to hello, and to what was no run, may be among them.
    if (json["type"] !== "result") continue;
    const id = idOf(file, number, json);
    if (results.has(id)) throw new InputError(file, number, `there is another result with the id ${id}`);
    if (!Array.isArray(json["observations"])) throw new InputError(file, number, "the result has no observations");
    results.set(id, text);
  }
  return results;
};

const programOf = (file: string, number: number, json: unknown): CompleteProgram => {
  const decoded = decodeAsked(json);
  if (isLeft(decoded)) throw new InputError(file, number, printProblem(decoded.left));
  const config = completeConfig(decoded.right.config ?? {});
  if ("illegal" in config) throw new InputError(file, number, `the configuration is illegal, CFG-1: ${config.illegal}`);
  const steps = decoded.right.steps.map(({ thread, operation }) => ({ actor: thread, operation }));
  return { version: 1, config, steps };
};

interface Judged {
  readonly id: number;
  readonly finding: Finding;
}

interface Report {
  readonly programs: number;
  readonly steps: number;
  readonly compared: number;
  readonly looks: number;
  /** Programs that nothing is known of. */
  readonly missing: number;
  readonly findings: readonly Judged[];
}

const judgeAll = async (programs: string, observations: string, hello: Pick<Hello, "addresses">): Promise<Report> => {
  const results = await resultsOf(observations);
  const findings: Judged[] = [];
  const keys = new Set<string>();
  let [count, steps, compared, looks, missing] = [0, 0, 0, 0, 0];
  for await (const { number, text } of linesOf(programs)) {
    if (text.trim() === "") continue;
    const json = objectOf(programs, number, text);
    const id = idOf(programs, number, json);
    const program = programOf(programs, number, json);
    count += 1;
    const result = results.get(id);
    if (result === undefined) {
      missing += 1;
      continue;
    }
    const verdict = judgeAnswer(program, hello, JSON.parse(result) as Parameters<typeof judgeAnswer>[2]);
    steps += verdict.steps;
    compared += verdict.compared;
    looks += verdict.looks;
    if (verdict.finding === undefined || keys.has(verdict.finding.key)) continue;
    keys.add(verdict.finding.key);
    findings.push({ id, finding: verdict.finding });
  }
  if (count === 0) throw new InputError(programs, undefined, "holds no programs; sfork generate prints some");
  return { programs: count, steps, compared, looks, missing, findings };
};

const print = ({ programs, steps, compared, looks, missing, findings }: Report, most: number): string =>
  [
    ...findings.slice(0, most).flatMap(({ id, finding }) => [
      out.red(`${finding.rule}: ${finding.where} ${finding.what}`),
      `  program   id ${id}, step ${finding.step}`,
      `  expected  ${finding.expected}`,
      `  actual    ${finding.actual}`,
      ...(finding.also.length === 0 ? [] : [`  also      ${finding.also.join(", ")}`]),
      ...printTextProgram(finding.program)
        .trimEnd()
        .split("\n")
        .map((line) => out.dim(`    ${line}`)),
      "",
    ]),
    ...(findings.length > most ? [`and ${plural(findings.length - most, "other finding")}`, ""] : []),
    `${plural(programs, "program")}, ${plural(steps, "step")}: ${plural(compared, "observation")} and ${plural(looks, "view")} compared`,
    ...(missing === 0 ? [] : [out.red(`${plural(missing, "program")} without a result`)]),
    findings.length === 0 ? out.green("no findings") : out.red(plural(findings.length, "different finding")),
    "",
  ].join("\n");

const jsonOf = ({ findings, ...counts }: Report): object => ({
  ok: findings.length === 0 && counts.missing === 0,
  ...counts,
  findings: findings.map(({ id, finding: { kind, rule, step, where, what, expected, actual, also, program } }) => ({
    ...{ id, kind, rule, step, where, what, expected, actual, also },
    program: programCodec.encode(program),
  })),
});

const judge = async (
  programs: string,
  observations: string,
  options: Options,
  done: (code: ExitCode) => void,
): Promise<void> => {
  const hello = options.hello === undefined ? {} : readHello(options.hello).hello;
  const report = await judgeAll(programs, observations, hello);
  done(report.findings.length === 0 && report.missing === 0 ? exitCodes.held : exitCodes.finding);
  process.stdout.write(
    options.json ? `${JSON.stringify(jsonOf(report), null, 2)}\n` : print(report, options.maxFindings),
  );
};

export const judgeCommand = (done: (code: ExitCode) => void): Command =>
  new Command("judge")
    .description("judge what a system that cannot be driven live has observed")
    .argument("<programs>", "runs, as sfork generate prints them; - is standard input")
    .argument("<observations>", "results, one for each run")
    .option("--hello <file>", "what the implementation declares, as it would answer to hello")
    .addOption(
      new Option("--max-findings <n>", "print so many different findings")
        .argParser(wholeOf)
        .default(defaultMaxFindings),
    )
    .option("--json", "print one JSON object")
    .addHelpText("after", examples)
    .action(async (programs: string, observations: string, options: unknown) => {
      try {
        await judge(programs, observations, optionsSchema.parse(options), done);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        complain(error.describe());
        done(exitCodes.usage);
      }
    });

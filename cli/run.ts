/** `sfork run`: one program on the specification, step by step, or on two strategies side by side. */
import process from "node:process";
import { chain, isLeft, left as eitherLeft, map, right as eitherRight, type Either } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { besideKernel, kernelPage, wrongForKernel } from "../conformance/check/kernel.js";
import { printObservation } from "../conformance/canon.js";
import { InputError } from "../conformance/errors.js";
import { plural } from "../conformance/plural.js";
import { strategiesOf } from "../conformance/implementations/index.js";
import { strategyNames } from "../conformance/program/config-codec.js";
import { describeBoth, diff, type Side } from "../conformance/program/diff.js";
import { readProgram } from "../conformance/program/file.js";
import { stepCodec } from "../conformance/program/json.js";
import { printOperation } from "../conformance/program/print.js";
import type { ProgramSource } from "../conformance/program/program.js";
import { configOf, printActor, totals, trace, type Cost, type TracedStep } from "../conformance/program/trace.js";
import type { Config, StrategyName } from "../spec/sfork/config.js";
import { strategies } from "../spec/sfork/laws.js";
import { initial, noCounters, type Counters } from "../spec/sfork/machine.js";
import { Unavailable } from "../impl/linux/index.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { complain, out } from "./output.js";
import { noToken } from "./target.js";

const strategy = z.custom<StrategyName>((name) => strategyNames.some((known) => known === name));

const side = z.object({ impl: z.enum(["spec", "fast", "linux"]), strategy });

const optionsSchema = z.object({
  strategy: strategy.optional(),
  trace: z.enum(["text", "json"]).default("text"),
  diff: z.tuple([side, side]).optional(),
  json: z.boolean().default(false),
});

type Options = z.infer<typeof optionsSchema>;

const examples = `
Examples:
  $ sfork run examples/pointer.sfork
  $ sfork run --strategy coa --trace json examples/pointer.sfork
  $ sfork run --diff spec:eager,spec:copa examples/pointer.sfork
  $ sfork run --diff spec:posix,spec:eager examples/pointer.sfork
  $ sfork run --diff spec:copa,fast:copa examples/pointer.sfork
  $ sfork run --diff spec:posix,linux examples/pipe.sfork
  $ sfork run --json - < program.json

Programs are text or JSON: docs/programs.md says how, docs/operations.md lists the operations. With --diff
expectations are not looked at; posix, where every process has an address space of its own, is compared with the
others in canonical form; linux is the kernel that is running. An actor with a star took a step of a thread that is
dead or was never made.
Exit status: 0 the program ran and its expectations held; 1 one did not, or the two sides differ; 2 bad input;
3 the output could not be written, or there is no kernel to run on.`;

const parts = ({ faults, copies, relocations, pageTableWrites }: Counters): readonly string[] => [
  plural(faults, "fault"),
  plural(copies, "copy", "copies"),
  plural(relocations, "relocation"),
  plural(pageTableWrites, "page-table write"),
];

const happened = ({ process: owner, counters }: Cost): string =>
  `P${owner}: ${parts(counters)
    .filter((part) => !part.startsWith("0 "))
    .join(", ")}`;

const actorName = ({ actor }: TracedStep): string =>
  actor === undefined ? "-" : `${printActor(actor)}${actor.reduced ? "*" : ""}`;

const failures = new Set<TracedStep["observation"]["kind"]>(["trap", "error", "bad-choice", "out-of-frames"]);

const paint = ({ observation }: TracedStep, text: string): string =>
  failures.has(observation.kind) ? out.yellow(text) : text;

/** Longer operations push their observation to the right. */
const widest = 36;

interface Widths {
  readonly index: number;
  readonly operation: number;
}

const widthsOf = ({ program: { steps } }: ProgramSource): Widths => ({
  index: String(steps.length).length,
  operation: Math.min(widest, Math.max(0, ...steps.map(({ operation }) => printOperation(operation).length))),
});

const stepLines = (step: TracedStep, { index, operation }: Widths): readonly string[] => {
  const number = String(step.index).padStart(index);
  const actor = actorName(step).padEnd("P0.t0*".length);
  const what = printOperation(step.step.operation).padEnd(operation);
  const indent = " ".repeat(index + 2);
  return [
    `${out.dim(number)}  ${actor}  ${what}  -> ${paint(step, printObservation(step.canonical))}`,
    ...(step.costs.length === 0 ? [] : [out.dim(`${indent}${step.costs.map(happened).join("; ")}`)]),
  ];
};

const mismatchLines = (step: TracedStep, { lineOf }: ProgramSource, file: string): readonly string[] =>
  step.mismatch === undefined
    ? []
    : [
        out.red(`${file}:${lineOf(step.index)}: step ${step.index} does not observe what is expected`),
        `  expected  ${printObservation(step.mismatch)}`,
        `  actual    ${printObservation(step.canonical)}`,
      ];

const stepJson = (step: TracedStep): object => ({
  step: step.index,
  thread: step.actor?.thread ?? null,
  process: step.actor?.process ?? null,
  reduced: step.actor?.reduced ?? false,
  operation: stepCodec.encode({ actor: step.step.actor, operation: step.step.operation }),
  observation: step.canonical,
  costs: step.costs.map(({ process: owner, counters }) => ({ process: owner, ...counters })),
  ...(step.mismatch === undefined ? {} : { expected: step.mismatch }),
});

/** What a command prints, and how it ends: the verdict stands before anything is printed. */
interface Report {
  readonly code: ExitCode;
  readonly lines: readonly string[];
}

/** What a run has shown so far. */
interface Summary {
  readonly processes: number;
  readonly counters: Counters;
}

const summaryLines = (
  { program }: ProgramSource,
  failed: number,
  { processes, counters }: Summary,
): readonly string[] => {
  const expected = program.steps.filter(({ expect }) => expect !== undefined).length;
  const expectations =
    failed > 0 ? `${failed} of ${plural(expected, "expectation")} failed` : `${plural(expected, "expectation")} held`;
  const said = expected === 0 ? [] : [failed > 0 ? out.red(expectations) : out.green(expectations)];
  const counted = [plural(program.steps.length, "step"), plural(processes, "process", "processes"), ...said];
  return ["", `${counted.join(", ")}: ${parts(counters).join(", ")}`];
};

const runOne = (source: ProgramSource, config: Config, file: string, options: Options): Report => {
  const widths = widthsOf(source);
  const lines: string[] = [];
  const observations: object[] = [];
  const mismatches: object[] = [];
  let summary: Summary = { processes: initial(config).processes.length, counters: noCounters };
  for (const step of trace(config, source.program.steps)) {
    if (options.json) observations.push(step.canonical);
    else if (options.trace === "json") lines.push(JSON.stringify(stepJson(step)));
    else lines.push(...stepLines(step, widths), ...mismatchLines(step, source, file));
    if (step.mismatch !== undefined) {
      mismatches.push({ step: step.index, expected: step.mismatch, actual: step.canonical });
    }
    summary = { processes: step.machine.processes.length, counters: totals(step.machine) };
  }
  const { counters } = summary;
  const ok = mismatches.length === 0;
  if (options.json) lines.push(JSON.stringify({ ok, observations, counters, mismatches }, null, 2));
  else if (options.trace === "json") lines.push(JSON.stringify({ ok, counters }));
  else lines.push(...summaryLines(source, mismatches.length, summary));
  return { code: ok ? exitCodes.held : exitCodes.finding, lines };
};

const runBoth = (source: ProgramSource, left: Side, right: Side, file: string, json: boolean): Report => {
  const names = [left, right].map(({ impl, config }) => `${impl}:${config.strategy}`);
  const [one = "", two = ""] = names;
  const found = diff(left, right, source.program.steps);
  const code = found.verdict === "different" ? exitCodes.finding : exitCodes.held;
  if (json) {
    const sides =
      found.verdict === "same"
        ? { masked: found.masked }
        : { left: stepJson(found.left), right: stepJson(found.right) };
    const ok = code === exitCodes.held;
    return { code, lines: [JSON.stringify({ ok, verdict: found.verdict, names, ...sides }, null, 2)] };
  }
  if (found.verdict === "same") {
    const aside = found.masked === 0 ? "" : `, aside from ${plural(found.masked, "number")} of addresses`;
    return { code, lines: [`${one} and ${two} observe the same in ${plural(found.steps, "step")}${aside}`] };
  }
  const { index, step } = found.left;
  const [first, second] = describeBoth(found.left, found.right);
  const width = Math.max(one.length, two.length);
  const heading =
    found.verdict === "different"
      ? out.red(`step ${index} is different`)
      : `step ${index} ends the comparison: what follows is not promised to be alike`;
  const lines = [
    `${file}:${source.lineOf(index)}: ${heading}`,
    `  ${actorName(found.left)}  ${printOperation(step.operation)}`,
    `  ${one.padEnd(width)}  ${first}`,
    `  ${two.padEnd(width)}  ${second}`,
  ];
  return { code, lines };
};

/** The running kernel beside the specification, as far as it can execute the program. */
const runBesideKernel = (source: ProgramSource, config: Config, file: string, json: boolean): Report => {
  const { version, steps } = source.program;
  const { steps: taken, finding } = besideKernel({ version, config, steps });
  const code = finding === undefined ? exitCodes.held : exitCodes.finding;
  const isWhole = taken === steps.length;
  if (json) {
    const verdict = finding === undefined ? (isWhole ? "same" : "ended") : "different";
    const sides = finding === undefined ? {} : { step: finding.step, left: finding.expected, right: finding.actual };
    const names = ["spec:posix", "linux"];
    return { code, lines: [JSON.stringify({ ok: finding === undefined, verdict, names, ...sides }, null, 2)] };
  }
  if (finding !== undefined) {
    const { step, where, expected, actual } = finding;
    const operation = steps[step]?.operation;
    const lines = [
      `${file}:${source.lineOf(step)}: ${out.red(`step ${step} is different`)}`,
      `  ${where}  ${operation === undefined ? "" : printOperation(operation)}`,
      `  spec:posix  ${expected}`,
      `  linux       ${actual}`,
    ];
    return { code, lines };
  }
  const rest = isWhole ? "" : `; a kernel does not execute step ${taken}, nor what is behind it`;
  return { code, lines: [`spec:posix and linux observe the same in ${plural(taken, "step")}${rest}`] };
};

const reportOf = (source: ProgramSource, file: string, options: Options): Either<InputError, Report> => {
  const [first, second] = options.diff ?? [undefined, undefined];
  if (first?.impl === "linux" || second?.impl === "linux") {
    const { program, lineOf } = source;
    return pipe(
      // Where a program does not say how large its pages are, they are the kernel's.
      configOf({ program: { ...program, config: { page: kernelPage, ...program.config } }, lineOf }, file, "posix"),
      chain((config) => {
        const wrong = wrongForKernel(config);
        if (wrong !== undefined) return eitherLeft(new InputError(file, lineOf("config"), wrong));
        return eitherRight(runBesideKernel(source, config, file, options.json));
      }),
    );
  }
  return pipe(
    configOf(source, file, first?.strategy ?? options.strategy),
    map((config) => {
      if (first === undefined) return runOne(source, config, file, options);
      const sideOf = ({ impl, strategy: name }: NonNullable<typeof first>): Side => ({
        impl: impl === "fast" ? impl : "spec",
        config: { ...config, strategy: name },
      });
      return runBoth(source, sideOf(first), sideOf(second), file, options.json);
    }),
  );
};

/** Undefined where there is no kernel to run on: a line has said why. */
const unlessUnavailable = <Result>(run: () => Result): Result | undefined => {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    complain(error.message);
    return undefined;
  }
};

const run = async (file: string, options: Options, done: (code: ExitCode) => void): Promise<void> => {
  const named = noToken(file);
  const source = isLeft(named) ? named : await readProgram(file);
  const report = unlessUnavailable(() =>
    pipe(
      source,
      chain((one) => reportOf(one, file, options)),
    ),
  );
  if (report === undefined) {
    done(exitCodes.environment);
    return;
  }
  if (isLeft(report)) {
    done(exitCodes.usage);
    complain(report.left.describe());
    return;
  }
  done(report.right.code);
  process.stdout.write(`${report.right.lines.join("\n")}\n`);
};

/** What `--diff` knows: the specification with every strategy, others with those that they have. */
const sides = [
  ...strategyNames.map((name) => ({ impl: "spec", strategy: name }) as const),
  ...strategiesOf.fast.map((name) => ({ impl: "fast", strategy: name }) as const),
  { impl: "linux", strategy: "posix" } as const,
];

const nameOf = ({ impl, strategy: name }: (typeof sides)[number]): string =>
  impl === "linux" ? impl : `${impl}:${name}`;

/** `spec:eager,fast:copa` as two sides. */
const parseSides = (text: string): readonly (typeof sides)[number][] => {
  const [left, right, ...more] = text.split(",").map((given) => sides.find((one) => nameOf(one) === given));
  if (left === undefined || right === undefined || more.length > 0) {
    throw new InvalidArgumentError(`Name two of ${sides.map(nameOf).join(", ")}, with a comma between them.`);
  }
  const names = [left, right].map(nameOf);
  if (names.includes("linux") && !names.includes("spec:posix")) {
    throw new InvalidArgumentError("The running kernel is compared with spec:posix: --diff spec:posix,linux.");
  }
  const isSeparate = ({ strategy: name }: typeof left): boolean => strategies[name].separate;
  if (left.impl === "linux" || right.impl === "linux") return [left, right];
  const isMixed = isSeparate(left) !== isSeparate(right);
  if (isMixed && (left.impl !== "spec" || right.impl !== "spec")) {
    throw new InvalidArgumentError(
      "Only the specification is compared across strategies with and without an address space for each process.",
    );
  }
  return [left, right];
};

export const runCommand = (done: (code: ExitCode) => void): Command =>
  new Command("run")
    .description("run a program on the specification and show what each step observes and costs")
    .argument("<file>", "program, text or JSON; - is standard input")
    .addOption(new Option("--strategy <name>", "take this strategy instead of the program's").choices(strategyNames))
    .addOption(new Option("--trace <form>", "how to show the steps (default: text)").choices(["text", "json"]))
    .addOption(
      new Option("--diff <a,b>", "run two side by side, up to the first difference")
        .argParser(parseSides)
        .conflicts(["strategy", "trace"]),
    )
    .addOption(new Option("--json", "print one JSON object at the end").conflicts("trace"))
    .addHelpText("after", examples)
    .action(async (file: string, options: unknown) => {
      await run(file, optionsSchema.parse(options), done);
    });

/** Implementations in other processes, judged by their answers (docs/protocol.md). */
import { createHash } from "node:crypto";
import type { Outcome } from "../../impl/external/index.js";
import { checkedStep, start } from "../../spec/invariants/check.js";
import type { Operation, OperationName } from "../../spec/sfork/operation.js";
import { plainLine, shorten } from "../errors.js";
import { runLine, type Hello } from "../protocol/messages.js";
import { declarationOf, rehearse, type Declaration, type Rehearsal } from "../protocol/negotiate.js";
import { judgeAnswer, type RawAnswer } from "./answers.js";
import { keyOf, type CompleteProgram, type Finding, type FindingKind } from "./finding.js";
import { noVerdict, type JudgeOptions, type Verdict } from "./judge.js";
import type { Asking } from "./link.js";

/** An implementation in another process: how it is started, and what it says that it has. */
export interface External {
  readonly command: string;
  readonly hello: Hello;
}

/** The same in a thread that can ask it. */
export class Connected implements External {
  readonly command: string;
  readonly hello: Hello;
  readonly #asking: Asking;
  readonly #limit: number;
  /** Programs that were sent ahead of their turn, and how they were sent. */
  readonly #ahead = new Map<CompleteProgram, Sent>();

  constructor({ command, hello }: External, asking: Asking, limit = usualLimit) {
    this.command = command;
    this.hello = hello;
    this.#asking = asking;
    this.#limit = limit;
  }

  /** Send programs that will be judged soon: the implementation is at work meanwhile. */
  prepare(programs: readonly CompleteProgram[]): void {
    for (const program of programs) this.#ahead.set(program, this.#send(program, showsView(program)));
  }

  /** What became of a program, and the program as it was sent. */
  run(program: CompleteProgram, waiting: () => void): Omit<Sent, "id"> & { readonly outcome: Outcome } {
    const { id, ...asked } = this.#ahead.get(program) ?? this.#send(program, true);
    this.#ahead.delete(program);
    return { ...asked, outcome: id === undefined ? nothingAsked : this.#asking.receive(id, waiting) };
  }

  #send(program: CompleteProgram, view: boolean): Sent {
    const { version, config } = program;
    const rehearsal = rehearse(config, program.steps);
    const { steps } = rehearsal;
    const sent = { version, config, steps: steps.map(({ thread, operation }) => ({ actor: thread, operation })) };
    // There are no steps.
    if (steps.length === 0) return { id: undefined, sent, rehearsal };
    const line = (id: number): string => runLine({ type: "run", id, config, steps, view });
    return { id: this.#asking.send(line, this.#limit), sent, rehearsal };
  }
}

interface Sent {
  readonly id: number | undefined;
  readonly sent: CompleteProgram;
  readonly rehearsal: Rehearsal;
}

/**
 * Views take as long as all observations: they are asked for in one program of four. Which, depends on the program alone. Where a
 * program is judged by itself, there is one.
 */
const showsView = ({ steps }: CompleteProgram): boolean => steps.length % 4 === 0;

const nothingAsked: Outcome = { kind: "answer", text: '{"observations":[]}' };

/** Milliseconds for an answer; and where programs are sought that are not answered, of which there will be many. */
const usualLimit = 10_000;
export const shortLimit = 500;

/** What it takes to run the implementation is not there. */
export class Gone extends Error {
  readonly code = "SFORK_GONE";
}

export const isExternal = (impl: unknown): impl is External =>
  typeof impl === "object" && impl !== null && "command" in impl;

const declarations = new WeakMap<Hello, Declaration>();

/** What an implementation declares. That nothing is wrong with it was found out when it was started. */
export const declared = ({ hello }: External): Declaration => {
  const known = declarations.get(hello) ?? declarationOf(hello);
  if ("wrong" in known) throw new RangeError(known.wrong);
  declarations.set(hello, known);
  return known;
};

/** As it is typed behind `--impl`. */
export const externalName = ({ command }: Pick<External, "command">): string => `exec:${command}`;

/** The same declaration, the same programs. */
export const fingerprint = ({ hello }: External): string => {
  const { formats, strategies, operations, limits = {} } = hello;
  const text = JSON.stringify([formats.toSorted(), strategies.toSorted(), operations.toSorted(), limits]);
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
};

/** Is the program one of what is declared? Smaller ones need not be. */
export const isDeclared = ({ config, steps }: CompleteProgram, impl: External): boolean => {
  const { formats, strategies, operations, limits } = declared(impl);
  const { page = [config.page], pages = Infinity, processes = Infinity } = limits;
  return (
    formats.includes(config.format) &&
    strategies.includes(config.strategy) &&
    page.includes(config.page) &&
    config.pages <= pages &&
    config.processes <= processes &&
    steps.every(({ operation }) => namesIn(operation).every((name) => operations.has(name)))
  );
};

/** A call that is entered is an operation, too. */
const namesIn = (operation: Operation): readonly OperationName[] =>
  operation.op === "call_enter" ? [operation.op, operation.call.op] : [operation.op];

const failure = (program: CompleteProgram, kind: FindingKind, why: string): Finding => {
  const said = shorten(plainLine(why), 300);
  const [first = ""] = said.split(": ");
  return {
    ...{ kind, rule: "REF-4", where: "the implementation", what: said },
    ...{ expected: "an answer", actual: `it ${said}`, program },
    step: Math.max(0, program.steps.length - 1),
    key: keyOf("REF-4", { ...program, steps: [] }, `${kind} ${first}`),
    also: [],
  };
};

/** The specification alone, for what it reaches. */
const cover = ({ config, steps }: CompleteProgram, coverage: NonNullable<JudgeOptions["coverage"]>): void => {
  coverage.begin(config.format);
  let checked = start(config, undefined, false);
  for (const step of steps) {
    const taken = checkedStep(checked, step);
    coverage.step(step.operation.op, taken);
    checked = taken.checked;
  }
};

/** Judge a program on an implementation in another process. Throws `Gone` where that cannot be started. */
export const judgeExternal = (program: CompleteProgram, impl: Connected, options: JudgeOptions = {}): Verdict => {
  if (!isDeclared(program, impl)) return noVerdict;
  const { begun, coverage } = options;
  begun?.(0);
  const { sent, rehearsal, outcome } = impl.run(program, () => begun?.(0));
  if (coverage !== undefined) cover(sent, coverage);
  if (outcome.kind === "gone") throw new Gone(outcome.why);
  if (outcome.kind !== "answer") {
    return { ...noVerdict, steps: sent.steps.length, finding: failure(sent, outcome.kind, outcome.why) };
  }
  return judgeAnswer(sent, impl.hello, JSON.parse(outcome.text) as RawAnswer, rehearsal);
};

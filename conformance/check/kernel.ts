/**
 * REF-0: the running kernel beside the specification where every process has an address space of its own (L0): what each step
 * observed, and by whom, after which signals. What the kernel was free to choose, the specification is asked to choose, too.
 */
import { runOnLinux, type Result, type Seen } from "../../impl/linux/index.js";
import { formats } from "../../spec/cheri/index.js";
import { sharedBase, type Config } from "../../spec/sfork/config.js";
import { initial, type Machine } from "../../spec/sfork/machine.js";
import type { Observation } from "../../spec/sfork/observation.js";
import { operations, type Step } from "../../spec/sfork/operation.js";
import { step as takeStep, type Taken } from "../../spec/sfork/step.js";
import { canonical, printObservation } from "../canon.js";
import { executableSteps } from "../generate/posix/prefix.js";
import { implementations } from "../implementations/index.js";
import { createSpec } from "../implementations/spec.js";
import { compareLevels } from "../oblivious/compare.js";
import { keyOf, type CompleteProgram, type Finding } from "./finding.js";
import { judgeBeside } from "./beside.js";
import { crashMessage, judge, noVerdict, type JudgeOptions, type Verdict } from "./judge.js";
import { look, sameObserved } from "./lockstep.js";

/** Process `k` has pid `k + 1` here: on a kernel its pid is any number, and shown is whose it is. */
const pidOf = (process: number): number => process + 1;

/** A step with what the kernel chose in it. */
const asChosen = ({ actor, operation }: Step, { result }: Seen): Step => {
  if (operation.op === "fork" && result.kind === "child") {
    return { actor, operation: { ...operation, pid: pidOf(result.child) } };
  }
  if (operation.op === "wait" && result.kind === "process") {
    return { actor, operation: { ...operation, reap: result.process } };
  }
  return { actor, operation };
};

/** Where an offset of the kernel's lies in the specification's address space. */
const addressOf = (config: Config, { kind, offset }: Extract<Result, { readonly kind: "own" | "segment" }>): bigint =>
  (kind === "own" ? config.base : sharedBase(config)) + offset;

/** What points to memory that ended has lost its tag; on a kernel its address leads nowhere. */
const isSwept = (expected: string, actual: string): boolean => expected === "tag" && actual === "page-unmapped";

/** What is left in the buffers of a read, of the bytes that it delivered. */
type Left = (bytes: readonly number[]) => readonly number[];

/** Of buffers that overlap the last one wins: the driver finds out what was read by looking at the buffers. */
const leftIn = (machine: Machine, thread: number | undefined, { operation }: Step): Left => {
  const registers = machine.threads[thread ?? -1]?.registers;
  if (operation.op !== "readv" || registers === undefined || !("immediate" in operation.n)) return (bytes) => bytes;
  const [first, second] = [operation.cs1, operation.cs2].map((cs) => registers[cs % registers.length]?.address ?? 0n);
  const size = Number(operation.n.immediate);
  return (bytes) => {
    const places = bytes.map((_, at) => (at < size ? (first ?? 0n) + BigInt(at) : (second ?? 0n) + BigInt(at - size)));
    const memory = new Map(places.map((place, at) => [place, bytes[at] ?? 0]));
    return places.map((place) => memory.get(place) ?? 0);
  };
};

/** Does what a step observed agree with what the kernel let be seen of it? */
const agrees = (config: Config, expected: Observation, actual: Result, left: Left): boolean => {
  switch (actual.kind) {
    case "own":
    case "segment":
      return expected.kind === "capability" && expected.capability.address === addressOf(config, actual);
    case "pid":
      return (
        expected.kind === "integer" &&
        actual.process !== undefined &&
        expected.integer === BigInt(pidOf(actual.process))
      );
    case "integer":
      return expected.kind === "integer" && expected.integer === actual.integer;
    case "error":
      return expected.kind === "error" && expected.allowed.some((error) => error === actual.error);
    case "trap":
      return expected.kind === "trap" && (expected.trap === actual.trap || isSwept(expected.trap, actual.trap));
    case "bytes":
      return expected.kind === "bytes" && sameList(left(expected.bytes), actual.bytes);
    case "descriptor":
      return expected.kind === "descriptor" && expected.descriptor === actual.descriptor;
    case "descriptors":
      return expected.kind === "descriptors" && sameList(expected.descriptors, actual.descriptors);
    case "set":
      return expected.kind === "set" && sameList(expected.members, actual.members);
    case "child":
      return expected.kind === "child" && expected.child === actual.child;
    case "process":
      return (
        expected.kind === "process" &&
        expected.process === actual.process &&
        JSON.stringify(expected.status) === JSON.stringify(actual.status)
      );
    case "none":
    case "would-block":
    case "no-actor":
    case "halted":
      return expected.kind === actual.kind;
    case "silent":
      return false;
  }
};

const sameList = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);

const describe = (result: Result): string => {
  switch (result.kind) {
    case "own":
      return `address +0x${result.offset.toString(16)}`;
    case "segment":
      return `address S+0x${result.offset.toString(16)}`;
    case "pid":
      return result.process === undefined ? "pid of a stranger" : `pid of P${result.process}`;
    case "integer":
      return `int 0x${result.integer.toString(16)}`;
    case "error":
      return `error ${result.error}`;
    case "trap":
      return `trap ${result.trap}`;
    case "bytes":
      return `bytes ${Buffer.from(result.bytes).toString("hex")}`;
    case "descriptor":
      return `fd ${result.descriptor}`;
    case "descriptors":
      return `fds ${result.descriptors.join(" ")}`;
    case "set":
      return `set ${result.members.join(" ")}`;
    case "child":
      return `child P${result.child}`;
    case "process": {
      const { status } = result;
      return `process P${result.process} ${"exited" in status ? `exited ${status.exited}` : `signalled ${status.signalled}`}`;
    }
    case "none":
    case "would-block":
    case "no-actor":
    case "halted":
    case "silent":
      return result.kind;
  }
};

const actorOf = ({ thread, process }: Pick<Seen, "thread" | "process">): string =>
  thread === undefined ? "nobody" : `P${process ?? 0} thread ${thread}`;

const withSignals = (text: string, signals: readonly number[]): string =>
  signals.length === 0 ? text : `${text} signals ${signals.join(" ")}`;

/** A difference, as both sides tell it; undefined where there is none. */
const differenceOf = (
  machine: Machine,
  step: Step,
  { observation, thread, process, signals }: Taken,
  seen: Seen,
): Pick<Finding, "expected" | "actual" | "where"> | undefined => {
  const sameActor = thread === seen.thread && process === seen.process;
  if (
    sameActor &&
    sameList(signals, seen.signals) &&
    agrees(machine.config, observation, seen.result, leftIn(machine, thread, step))
  )
    return undefined;
  const who = (text: string, one: Pick<Seen, "thread" | "process">): string =>
    sameActor ? text : `${actorOf(one)}: ${text}`;
  const expected = printObservation(canonical(observation, machine, process, []));
  return {
    where: actorOf({ thread, process }),
    expected: who(withSignals(expected, signals), { thread, process }),
    actual: who(withSignals(describe(seen.result), seen.signals), seen),
  };
};

/** What the specification makes of steps that the kernel has taken. */
class Comparison {
  readonly #program: CompleteProgram;
  readonly #taken: Step[] = [];
  #machine: Machine;

  constructor(program: CompleteProgram) {
    this.#program = program;
    this.#machine = initial(program.config);
  }

  /** The step, and what the kernel let be seen of it. */
  step(asked: Step, seen: Seen): Finding | undefined {
    this.#taken.push(asked);
    const chosen = asChosen(asked, seen);
    try {
      const after = takeStep(this.#machine, chosen);
      const difference = differenceOf(this.#machine, chosen, after, seen);
      this.#machine = after.machine;
      return difference && this.#finding("observation", { ...difference, what: "observes something else on Linux" });
    } catch (error) {
      const said = crashMessage(error);
      const where = "taking the specification's step";
      return this.#finding("crash", { where, what: said, expected: "no exception", actual: said });
    }
  }

  /** The step that the driver did not come back from. */
  broken(asked: Step | undefined, why: string): Finding {
    if (asked !== undefined) this.#taken.push(asked);
    return this.#finding("worker", { where: "the driver", what: why, expected: "an answer", actual: why });
  }

  get steps(): number {
    return this.#taken.length;
  }

  #finding(kind: Finding["kind"], said: Pick<Finding, "where" | "what" | "expected" | "actual">): Finding {
    const last = this.#taken.at(-1);
    const rule = "REF-0";
    const program = { ...this.#program, steps: [...this.#taken] };
    const [does, should] = [said.actual, said.expected].map((text) => text.split(" ", 1).join());
    const key = keyOf(rule, program, `${does ?? ""} for ${should ?? ""}`);
    return {
      kind,
      rule,
      ...said,
      step: Math.max(0, this.#taken.length - 1),
      key,
      also: last === undefined ? [] : [operations[last.operation.op].rule],
      program,
    };
  }
}

/** Bytes of a page, at least: what x86-64 and most of arm64 have. */
export const kernelPage = 4096;

/** What a kernel cannot have of a configuration; undefined where nothing is wrong. */
export const wrongForKernel = ({ page }: Config): string | undefined =>
  page % kernelPage === 0
    ? undefined
    : `a kernel has no pages of ${page} bytes; write page=${kernelPage} in the program's config line`;

/** The running kernel beside L0. Throws only `Unavailable`. */
export const besideKernel = (program: CompleteProgram): Verdict => {
  const config: Config = { ...program.config, strategy: "posix" };
  const steps = program.steps.slice(0, executableSteps(config, program.steps));
  const { seen, broken } = runOnLinux(config, formats[config.format].addressBits, steps);
  const comparison = new Comparison({ version: program.version, config, steps });
  const verdict = (finding: Finding | undefined): Verdict => {
    const ended = finding === undefined && steps.length < program.steps.length ? "outside-profile" : undefined;
    return { ...noVerdict, steps: comparison.steps, compared: comparison.steps, ended, finding };
  };
  for (const [index, one] of seen.entries()) {
    const asked = steps[index];
    const finding = asked && comparison.step(asked, one);
    if (finding !== undefined) return verdict(finding);
  }
  return verdict(broken === undefined ? undefined : comparison.broken(steps[seen.length], broken));
};

/**
 * Do one address space (L1), its lazy copies (L2) and the optimised implementation (L3) observe what separate address spaces
 * do, each what its neighbour does? Counts of observations if so; undefined where there is something to look into.
 */
const witnessesAgree = (lazy: CompleteProgram): Pick<Verdict, "oblivious" | "masked"> | undefined => {
  const { compared: oblivious, masked, difference } = compareLevels(lazy);
  if (difference !== undefined) return undefined;
  const eager = createSpec({ ...lazy.config, strategy: "eager" });
  const [copa, fast] = [createSpec(lazy.config), implementations.fast(lazy.config)];
  let isComparable = true;
  for (const step of lazy.steps) {
    for (const one of [eager, copa, fast]) one.step(step);
    const seen = copa.observed();
    if (!sameObserved(seen, fast.observed())) return undefined;
    // Bytes of pointers, and frames that are found to be missing late, are no difference (REF-2).
    isComparable &&= seen.observation.kind !== "outside-profile" && seen.observation.kind !== "out-of-frames";
    if (isComparable && !sameObserved(eager.observed(), seen)) return undefined;
  }
  return look(copa, fast) === undefined ? { oblivious, masked } : undefined;
};

/** The same, where whatever throws is something to look into. */
const agreement = (lazy: CompleteProgram): ReturnType<typeof witnessesAgree> => {
  try {
    return witnessesAgree(lazy);
  } catch {
    return undefined;
  }
};

/**
 * Judge one program by five witnesses: the running kernel and L0, then one address space that copies at the fork (L1) and
 * on pointer access (L2), under all invariants, then the optimised implementation (L3). What they observe must agree, each
 * with its neighbour. All invariants are checked in those programs of which coverage is counted, and in full ones.
 */
export const judgeOnKernel = (program: CompleteProgram, options: JudgeOptions = {}): Verdict => {
  const kernel = besideKernel(program);
  if (kernel.finding !== undefined) return kernel;
  const lazy = { ...program, config: { ...program.config, strategy: "copa" } } as const;
  // The invariants take several times as long as all witnesses: in some programs they are checked, and where there is a finding.
  const isSample = options.full === true || options.coverage !== undefined;
  const agreed = isSample ? undefined : agreement(lazy);
  if (agreed !== undefined) return { ...kernel, ...agreed, looks: 1 };
  const levels = judge(lazy, options);
  const rest =
    levels.finding === undefined
      ? judgeBeside(lazy, implementations.fast, { ...options, coverage: undefined })
      : levels;
  return { ...levels, ended: kernel.ended, compared: kernel.compared, looks: rest.looks, finding: rest.finding };
};

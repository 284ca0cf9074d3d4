/**
 * The running kernel beside the specification where every process has an address space of its own (L0): what each step
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
import { keyOf, type CompleteProgram, type Finding } from "./finding.js";
import { crashMessage, noVerdict, type JudgeOptions, type Verdict } from "./judge.js";

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

/** The program up to a step, as the specification was asked to take it. */
const cut = ({ version, config }: CompleteProgram, steps: readonly Step[]): CompleteProgram => ({
  version,
  config,
  steps,
});

const ruleOf = ({ operation }: Step): string => operations[operation.op].rule;

/** Judge one program on the running kernel. Throws only `Unavailable`. */
export const judgeOnKernel = (program: CompleteProgram, { coverage: _ }: JudgeOptions = {}): Verdict => {
  const config: Config = { ...program.config, strategy: "posix" };
  const xlen = formats[config.format].addressBits;
  const { seen, broken } = runOnLinux(config, xlen, program.steps);
  const taken: Step[] = [];
  const finding = (kind: Finding["kind"], said: Pick<Finding, "where" | "what" | "expected" | "actual">): Finding => {
    const last = taken.at(-1);
    const rule = last === undefined ? "EXEC-1" : ruleOf(last);
    const steps = cut({ ...program, config }, taken);
    const key = keyOf(rule, steps, `${said.actual.split(" ", 1).join()} for ${said.expected.split(" ", 1).join()}`);
    return { kind, rule, ...said, step: Math.max(0, taken.length - 1), key, also: [], program: steps };
  };
  const verdict = (found: Finding | undefined): Verdict => {
    return { ...noVerdict, steps: taken.length, compared: taken.length, finding: found };
  };
  let machine = initial(config);
  for (const [index, one] of seen.entries()) {
    const asked = program.steps[index];
    if (asked === undefined) break;
    const step = asChosen(asked, one);
    taken.push(step);
    try {
      const after = takeStep(machine, step);
      const difference = differenceOf(machine, step, after, one);
      if (difference !== undefined) {
        return verdict(finding("observation", { ...difference, what: "observes something else on Linux" }));
      }
      machine = after.machine;
    } catch (error) {
      const said = crashMessage(error);
      return verdict(
        finding("crash", { where: "the specification", what: said, expected: "no exception", actual: said }),
      );
    }
  }
  if (broken === undefined) return verdict(undefined);
  const next = program.steps[taken.length];
  if (next !== undefined) taken.push(next);
  return verdict(finding("worker", { where: "the driver", what: broken, expected: "an answer", actual: broken }));
};

/** What a rule is given, and what it answers: the vocabulary of `step`. */
import { nullCapability, type Capability, type CapabilityFormat, type Trap } from "../cheri/index.js";
import { registerCount, type Machine, type Process, type Thread } from "./machine.js";
import type { ErrorCode, Observation } from "./observation.js";
import type { Integer } from "./operation.js";
import { flatMap } from "./lists.js";

/** A step about to be taken: the machine, and who takes it. */
export interface Context {
  readonly machine: Machine;
  readonly format: CapabilityFormat;
  /** Creation ordinals. */
  readonly thread: number;
  readonly process: number;
}

export interface Outcome {
  readonly machine: Machine;
  readonly observation: Observation;
}

/** Everything that is not an outcome yet: what a rule still has to act on. */
export type Refusal = Extract<
  Observation,
  { readonly kind: "trap" | "error" | "would-block" | "bad-choice" | "out-of-frames" | "outside-profile" }
>;

const noThread = (format: CapabilityFormat): Thread => {
  return { process: 0, live: false, registers: [], pcc: nullCapability(format), mask: [], call: undefined };
};

export const threadOf = ({ machine, thread }: Context): Thread => machine.threads[thread] ?? noThread(machine.format);

export const processOf = ({ machine, process }: Context): Process | undefined => machine.processes[process];

/** Where the acting process lives. */
export const slotOf = (context: Context): number => processOf(context)?.slot ?? 0;

/** A register's content; numbers are reduced into range. */
export const register = (context: Context, index: number): Capability =>
  threadOf(context).registers[index % registerCount] ?? nullCapability(context.format);

/** An integer operand: an immediate modulo 2^XLEN, or a register's address. */
export const integer = (context: Context, operand: Integer): bigint =>
  "immediate" in operand
    ? BigInt.asUintN(Number(context.format.addressBits), operand.immediate)
    : register(context, operand.register).address;

/** The machine with a thread changed. */
export const withThread = (machine: Machine, index: number, change: Partial<Thread>): Machine => {
  const thread = machine.threads[index];
  return thread === undefined
    ? machine
    : { ...machine, threads: machine.threads.with(index, { ...thread, ...change }) };
};

/** The register `index` of the acting thread becomes `value`. */
const writeRegister = (context: Context, machine: Machine, index: number, value: Capability): Machine => {
  const registers = machine.threads[context.thread]?.registers ?? [];
  return withThread(machine, context.thread, { registers: registers.with(index % registerCount, value) });
};

/** The same for an integer, modulo 2^XLEN: a null-derived value. */
export const writeInteger = (context: Context, machine: Machine, index: number, value: bigint): Machine =>
  writeRegister(context, machine, index, nullCapability(context.format, value));

/** The step did what it was told, and lets that be seen. */
export const done = (machine: Machine, observation: Observation = { kind: "none" }): Outcome => {
  return { machine, observation };
};

/** The same, of a number. */
export const doneWith = (machine: Machine, value: number | bigint | boolean): Outcome =>
  done(machine, { kind: "integer", integer: BigInt(value) });

/** The step changes nothing but what its observation says. */
export const refuse = ({ machine }: Context, observation: Observation): Outcome => ({ machine, observation });

export const failed = (context: Context, error: ErrorCode, others: readonly ErrorCode[] = []): Outcome =>
  refuse(context, { kind: "error", error, allowed: [error, ...others] });

/** A check of a system call: whether it fails, and the error that it then gives. */
export type CallCheck = readonly [fails: boolean, error: ErrorCode];

/**
 * A system call: checks, all of them pure, then the act. The first check that fails names the error; where several fail,
 * POSIX allows the error of any.
 * @rule KERN-1 checks @source POSIX XSH 2.3 (error numbers: the order of checks is unspecified)
 */
export const call = (context: Context, checks: readonly CallCheck[], act: () => Outcome): Outcome => {
  const [first, ...others] = [...new Set(flatMap(checks, ([fails, error]) => (fails ? [error] : [])))];
  return first === undefined ? act() : failed(context, first, others);
};

/** The machine with a process changed. */
export const withProcess = (machine: Machine, index: number, change: Partial<Process>): Machine => {
  const process = machine.processes[index];
  return process === undefined
    ? machine
    : { ...machine, processes: machine.processes.with(index, { ...process, ...change }) };
};

export const trapped = (context: Context, trap: Trap): Outcome => refuse(context, { kind: "trap", ...trap });

/** `cd` becomes a capability, which is observed. */
export const giveCapability = (
  context: Context,
  cd: number,
  capability: Capability,
  machine = context.machine,
): Outcome => ({
  machine: writeRegister(context, machine, cd, capability),
  observation: { kind: "capability", capability },
});

/** `cd` becomes a null-derived integer, which is observed. */
export const giveInteger = (
  context: Context,
  cd: number,
  value: bigint | boolean,
  machine = context.machine,
): Outcome => {
  const written = nullCapability(context.format, BigInt(value));
  const observation = { kind: "integer", integer: written.address } as const;
  return { machine: writeRegister(context, machine, cd, written), observation };
};

/**
 * Programs in a flat form: each step is decoded once, into 16 numbers, so that taking it needs neither names nor big
 * integers.
 */
import type { Integer, Operation, Protection, Step } from "../../spec/sfork/operation.js";
import { maskOf } from "./facts.js";
import { EXECUTE, fileSize, maxDescriptors, READ, registerCount, WRITE, type Machine } from "./machine.js";

// Places of a step's numbers.
export const OPCODE = 0;
export const ACTOR = 1;
export const CD = 2;
export const CS1 = 3;
export const CS2 = 4;
/** The integer operand that an operation is about: 0 an immediate, 1 a register; then halves, or the register. */
export const N = 5;
/** A second one: what is stored, where a lock starts, the size of the second buffer. */
export const VALUE = 8;
/** Permissions as a mask, protection as flags, or a descriptor. */
export const EXTRA = 11;
/** Numbers of a step. */
export const STEP_SIZE = 16;

export interface Program {
  readonly code: Int32Array;
  readonly steps: readonly Step[];
}

const protectionBits = ({ read, write, execute }: Protection): number =>
  (read ? READ : 0) | (write ? WRITE : 0) | (execute ? EXECUTE : 0);

const zero: Integer = { immediate: 0n };

const encodeInteger = ({ wide }: Machine, code: Int32Array, at: number, operand: Integer): void => {
  if ("register" in operand) {
    code[at] = 1;
    code[at + 1] = operand.register % registerCount;
    return;
  }
  code[at] = 0;
  code[at + 1] = Number(BigInt.asIntN(32, operand.immediate));
  code[at + 2] = wide ? Number(BigInt.asIntN(32, operand.immediate >> 32n)) : 0;
};

const encodeExtra = (machine: Machine, operation: Operation): number => {
  if ("words" in operation) return maskOf(machine.facts, operation.words);
  if ("protection" in operation) return protectionBits(operation.protection);
  return "d" in operation ? operation.d % maxDescriptors : 0;
};

const integersOf = (operation: Operation): readonly [Integer, Integer] => {
  const n = "n" in operation ? operation.n : "length" in operation ? operation.length : undefined;
  const value = "value" in operation ? operation.value : "start" in operation ? operation.start : undefined;
  return [n ?? ("signal" in operation ? operation.signal : zero), value ?? ("n2" in operation ? operation.n2 : zero)];
};

/** Operands of one operation; those of a call that is entered are the call's. */
const encodeOperands = (machine: Machine, code: Int32Array, at: number, operation: Operation): void => {
  if (operation.op === "call_enter") {
    encodeOperands(machine, code, at, operation.call);
    return;
  }
  code[at + CD] = "cd" in operation ? operation.cd % registerCount : 0;
  code[at + CS1] = "cs1" in operation ? operation.cs1 % registerCount : 0;
  code[at + CS2] = "cs2" in operation ? operation.cs2 % registerCount : 0;
  const [n, value] = integersOf(operation);
  encodeInteger(machine, code, at + N, n);
  encodeInteger(machine, code, at + VALUE, value);
  code[at + EXTRA] = encodeExtra(machine, operation);
};

/** The numbers of one step, from index `at` on. */
export const encodeStep = (
  machine: Machine,
  code: Int32Array,
  at: number,
  step: Step,
  opcodeOf: (machine: Machine, name: Operation["op"]) => number,
): void => {
  code[at + OPCODE] = opcodeOf(machine, step.operation.op);
  code[at + ACTOR] = step.actor;
  encodeOperands(machine, code, at, step.operation);
};

/** A register of the thread that takes the step, as its index in the register file. */
export const registerAt = ({ thread }: Machine, code: Int32Array, place: number): number =>
  thread.registers + (code[place] ?? 0);

/** An integer operand: sets `lo` and `hi`. */
export function readInteger(machine: Machine, code: Int32Array, place: number): void {
  if (code[place] === 0) {
    machine.lo = code[place + 1] ?? 0;
    machine.hi = code[place + 2] ?? 0;
    return;
  }
  readAddress(machine, registerAt(machine, code, place + 1));
}

/** The address in a register: sets `lo` and `hi`. */
export function readAddress(machine: Machine, register: number): void {
  const at = register * machine.granuleHalves + machine.facts.addressAt;
  machine.lo = machine.registers[at] ?? 0;
  machine.hi = machine.wide ? (machine.registers[at + 1] ?? 0) : 0;
}

/** Registers that a thread has, `pcc` among them. */
export const registersOf = (first: number): readonly number[] =>
  Array.from({ length: fileSize }, (_, index) => first + index);

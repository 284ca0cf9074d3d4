/**
 * Operations of which nothing that a step shows can depend on where a region lies (REF-3), whatever its operands: no number
 * is taken from a register, none is made of an address, and no capability is made of a number. Channels are left out,
 * because a level in which each process has an address space of its own lacks them.
 */
import type { Operation, OperationName } from "../../spec/sfork/operation.js";

/** Operations whose results, or what becomes of them, depend on where a region lies; and channels. */
export const addressing: readonly OperationName[] = [
  "csetaddr",
  "cfromptr",
  "csethigh",
  "cbuildcap",
  "csub",
  "ctoptr",
  "cgetbase",
  "cgettop",
  "cgetaddr",
  "cgethigh",
  "channel",
  "sendcap",
  "recvcap",
];

const isNumberInRegister = (operand: unknown): boolean =>
  typeof operand === "object" && operand !== null && "register" in operand;

/** Has the operation this form? */
export const isOblivious = (operation: Operation): boolean => {
  const operands: readonly unknown[] = Object.values(operation.op === "call_enter" ? operation.call : operation);
  return !addressing.includes(operation.op) && !operands.some(isNumberInRegister);
};

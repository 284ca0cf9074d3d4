/** The shape of an operation's handler. */
import type { OperationName, OperationOf } from "../../spec/sfork/operation.js";
import type { Machine } from "./machine.js";

/**
 * Takes a step: its numbers begin at `at` in `code`; what has no place in numbers is in the operation. Afterwards the
 * machine's `kind` and its companions say what was observed.
 */
export type HandlerOf<Name extends OperationName> = (
  machine: Machine,
  code: Int32Array,
  at: number,
  operands: Omit<OperationOf<Name>, "op">,
) => void;

export type Handlers = { readonly [Name in OperationName]: HandlerOf<Name> };

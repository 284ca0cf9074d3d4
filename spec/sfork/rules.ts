/** The shape of a rule of the machine: one for each operation. */
import type { Context, Outcome } from "./context.js";
import type { OperationName, OperationOf } from "./operation.js";

export type Rule<Name extends OperationName> = (context: Context, operation: OperationOf<Name>) => Outcome;

export type Rules = { readonly [Name in OperationName]: Rule<Name> };

/** A rule for every operation that has the operands of `Name`. */
export type RuleLike<Name extends OperationName> = (
  context: Context,
  operands: Omit<OperationOf<Name>, "op">,
) => Outcome;

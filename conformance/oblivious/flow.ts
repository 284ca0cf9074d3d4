/**
 * What is known of each operation: which of its operands decide where or what it does, and whether the numbers of its
 * result are address-derived.
 */
import type { Integer, OperationName, OperationOf } from "../../spec/sfork/operation.js";
import type { Look } from "./look.js";

/**
 * Of the numbers of a result: the same wherever things lie, or address-derived; `outside` where not even the rest of the
 * result is the same. The numbers of a tagged result are never taken for derived: if they depend on where something lies,
 * then as the capability's bounds do.
 */
export type Answer = "plain" | "derived" | "outside";

export const derivedIf = (isDerived: boolean): Answer => (isDerived ? "derived" : "plain");

/** `by-operands`: it is never outside as long as all that decides is immediates; `by-values`: it may be; `never` oblivious. */
type Obliviousness = "by-operands" | "by-values" | "never";

export interface FlowOver<Operands> {
  readonly oblivious: Obliviousness;
  /** Integers of which the step does more than keep or show them: address-derived ones lead outside … */
  readonly decides: (operands: Operands) => readonly Integer[];
  /** … but where they decide nothing after all. */
  readonly unless?: (look: Look, operands: Operands) => boolean;
  /** Of a step that succeeded. Takes note of the bytes that it moved. */
  readonly answer: (look: Look, operands: Operands) => Answer;
}

export type Flow<Name extends OperationName> = FlowOver<OperationOf<Name>>;

export type Flows = { readonly [Name in OperationName]: Flow<Name> };

/** A flow for every operation that has the operands of `Name`. */
export type FlowLike<Name extends OperationName> = FlowOver<Omit<OperationOf<Name>, "op">>;

const nothing = (): readonly Integer[] => [];

/** The result depends on nothing that lies anywhere. */
export const plain = <Operands>(
  decides: (operands: Operands) => readonly Integer[] = nothing,
  act: (look: Look, operands: Operands) => void = () => undefined,
): FlowOver<Operands> => ({
  oblivious: "by-operands",
  decides,
  answer: (look, operands) => {
    act(look, operands);
    return "plain";
  },
});

/** As the operands are, so is the result. */
export const from = <Operands>(
  isDerived: (look: Look, operands: Operands) => boolean,
  decides: (operands: Operands) => readonly Integer[] = nothing,
): FlowOver<Operands> => ({
  oblivious: "by-operands",
  decides,
  answer: (look, operands) => derivedIf(isDerived(look, operands)),
});

/** What each operation does to the model: one entry for each that does anything. */
import type { Operation, OperationName, OperationOf } from "../../../spec/sfork/operation.js";
import type { Model } from "../model.js";
import { fileEffects } from "./effects-file.js";
import { memoryEffects } from "./effects-memory.js";
import { processEffects } from "./effects-process.js";
import type { Thread } from "./life.js";

export type Effect<Name extends OperationName> = (model: Model, thread: Thread, operation: OperationOf<Name>) => void;

export type Effects = { readonly [Name in OperationName]?: Effect<Name> };

const effects: Effects = { ...memoryEffects, ...fileEffects, ...processEffects };

/** Operands are those of the operation's own name, which the record's type says per name. */
export const applyEffect = (model: Model, thread: Thread, operation: Operation): void => {
  (effects[operation.op] as Effect<typeof operation.op> | undefined)?.(model, thread, operation);
};

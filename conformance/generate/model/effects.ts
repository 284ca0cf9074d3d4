/** What each operation does to the model: one entry for each that does anything. */
import type { Operation } from "../../../spec/sfork/operation.js";
import type { Effect, Effects } from "./effect.js";
import { fileEffects } from "./effects-file.js";
import { memoryEffects } from "./effects-memory.js";
import { processEffects } from "./effects-process.js";
import type { Thread } from "./life.js";
import type { World } from "./world.js";

const effects: Effects = { ...memoryEffects, ...fileEffects, ...processEffects };

/** Operands are those of the operation's own name, which the record's type says per name. */
export const applyEffect = (world: World, thread: Thread, operation: Operation): void => {
  (effects[operation.op] as Effect<typeof operation.op> | undefined)?.(world, thread, operation);
};

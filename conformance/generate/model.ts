/**
 * What a program's steps are expected to do: who lives, what is open, what is pending. In most programs it is no more than
 * a guess, and nothing goes wrong where it is wrong. In programs for a real kernel it knows memory and registers as well,
 * and is exact.
 */
import type { Operation } from "../../spec/sfork/operation.js";
import { applyEffect } from "./model/effects.js";
import type { Life } from "./model/life.js";
import { World } from "./model/world.js";

export class Model extends World {
  /** Take note of a step. The child, if it makes one. */
  take(ordinal: number, operation: Operation): Life | undefined {
    const thread = this.actorFor(ordinal);
    if (this.isHalted || !this.deliver(thread)) return undefined;
    const child = operation.op === "fork" ? this.fork(thread, operation) : undefined;
    applyEffect(this, thread, operation);
    return child;
  }
}

export type { Life } from "./model/life.js";

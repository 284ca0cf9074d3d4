/**
 * What is known of a search: states in the order in which they were found, breadth first, and where their steps lead. It
 * follows from the expansions alone, in their order, so that neither the number of workers nor an interruption shows in it.
 */
import { keySize } from "./canonical.js";
import type { Expansion } from "./expand.js";
import type { Space } from "./space.js";

/** How far a search has come. */
export interface Covered {
  /** Every program of so many steps is covered. */
  readonly depth: number;
  /** States, the start among them. */
  readonly states: number;
  /** Pairs of a state and a step that were judged. */
  readonly transitions: number;
  /** Programs of 1 to `depth` steps that these stand for; not exact where there are more than 2^53. */
  readonly programs: number;
  /** States at the end of programs of `depth` steps that none of fewer leads to, and those whose steps were judged. */
  readonly frontier: { readonly states: number; readonly done: number };
  /** Nothing is left: no program, however long, comes to another state. */
  readonly closed: boolean;
}

/** Where a step leads in which something was found. */
const nowhere = -1;

const noKey = "\0".repeat(keySize);

export class Search {
  readonly #space: Space;
  readonly #ids = new Map<string, number>();
  readonly #parents: number[] = [nowhere];
  /** The step that led from the parent. */
  readonly #steps: number[] = [0];
  readonly #depths: number[] = [0];
  /** Of the states that were expanded, all behind one another: where their steps lead, and where each state's begin. */
  readonly #targets: number[] = [];
  readonly #begins: number[] = [];

  constructor(space: Space, start: Uint8Array) {
    this.#space = space;
    this.#ids.set(Buffer.from(start).toString("latin1"), 0);
  }

  get space(): Space {
    return this.#space;
  }

  get states(): number {
    return this.#parents.length;
  }

  get transitions(): number {
    return this.#targets.length;
  }

  /** The state whose expansion is wanted next; those behind it may be made at the same time. */
  get next(): number {
    return this.#begins.length;
  }

  depthOf(state: number): number {
    return this.#depths[state] ?? Infinity;
  }

  /** The first program that led to a state. */
  pathTo(state: number): readonly number[] {
    const path: number[] = [];
    for (let at = state; at > 0; at = this.#parents[at] ?? 0) path.push(this.#steps[at] ?? 0);
    return path.reverse();
  }

  /** Take in what follows the state that is next. */
  add({ steps, keys }: Pick<Expansion, "steps" | "keys">): void {
    const from = this.next;
    const depth = this.depthOf(from) + 1;
    const text = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength).toString("latin1");
    this.#begins.push(this.#targets.length);
    for (const [nth, step] of steps.entries()) {
      const key = text.slice(keySize * nth, keySize * (nth + 1));
      if (key === noKey) {
        this.#targets.push(nowhere);
        continue;
      }
      const known = this.#ids.get(key);
      if (known === undefined) {
        this.#targets.push(this.states);
        this.#ids.set(key, this.states);
        this.#parents.push(from);
        this.#steps.push(step);
        this.#depths.push(depth);
      } else this.#targets.push(known);
    }
  }

  covered(): Covered {
    const closed = this.next === this.states;
    const depth = closed ? this.depthOf(this.states - 1) : this.depthOf(this.next);
    const first = this.#depths.findIndex((one) => one === depth);
    const last = this.#depths.findLastIndex((one) => one === depth);
    return {
      depth,
      states: this.states,
      transitions: this.#targets.length,
      programs: this.#programs(depth),
      frontier: { states: last + 1 - first, done: this.next - first },
      closed,
    };
  }

  /** Programs of 1 to `depth` steps: how many lead to each state, one step after the other. */
  #programs(depth: number): number {
    let leading = new Float64Array([1]);
    let all = 0;
    for (let length = 1; length <= depth; length += 1) {
      const following = new Float64Array(this.states);
      for (const [state, programs] of leading.entries()) {
        if (programs === 0) continue;
        const end = this.#begins[state + 1] ?? this.#targets.length;
        for (let edge = this.#begins[state] ?? end; edge < end; edge += 1) {
          all += programs;
          const target = this.#targets[edge] ?? nowhere;
          if (target !== nowhere) following[target] = (following[target] ?? 0) + programs;
        }
      }
      leading = following;
    }
    return all;
  }
}

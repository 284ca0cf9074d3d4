/**
 * Guidance: programs that showed something new are kept, and others are made from them. It goes by epochs: what the programs
 * of one are depends on the seed and on what was kept of earlier ones, and not on who was quicker.
 */
import { generate, mutate } from "../generate/generate.js";
import type { GenerateOptions, GeneratedProgram } from "../generate/options.js";
import { randomOf } from "../generate/random.js";

/** Programs of an epoch. */
export const epoch = 256;

/** One program in so many is made from others, once there are some. */
const mutantEvery = 2;

export interface Guided {
  readonly program: GeneratedProgram;
  /** It was made from others: its number alone does not say which program it is. */
  readonly mutant: boolean;
}

export class Guide {
  readonly #seed: string;
  readonly #options: GenerateOptions;
  readonly #seen = new Set<number>();
  readonly #kept: GeneratedProgram[] = [];
  /** Kept of this epoch: nothing is made from them before the next. */
  #fresh: GeneratedProgram[] = [];

  constructor(seed: string, options: GenerateOptions) {
    this.#seed = seed;
    this.#options = options;
  }

  /** Features that were seen, and programs that are kept for them. */
  get counts(): { readonly features: number; readonly kept: number } {
    return { features: this.#seen.size, kept: this.#kept.length + this.#fresh.length };
  }

  /** Program number `index`, of the epoch that was begun. */
  program(index: number): Guided {
    const random = randomOf(`${this.#seed}/guided`, index);
    const [parent, other] = [0, 1].map(() => this.#kept[random.below(Math.max(1, this.#kept.length))]);
    if (parent === undefined || other === undefined || !random.once(mutantEvery)) {
      return { program: generate(this.#seed, index, this.#options), mutant: false };
    }
    return { program: mutate(random, parent, other, this.#options), mutant: true };
  }

  /** What a program showed; to be told in the order of programs. */
  learn({ program }: Guided, features: readonly number[]): void {
    const before = this.#seen.size;
    for (const feature of features) this.#seen.add(feature);
    if (this.#seen.size > before) this.#fresh.push(program);
  }

  /** An epoch is over. */
  next(): void {
    this.#kept.push(...this.#fresh);
    this.#fresh = [];
  }
}

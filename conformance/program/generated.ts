/** Programs of the generator for fast-check. */
import fc from "fast-check";
import { choiceOf, checkOptions, type ProgramOptions } from "../check/options.js";
import type { CompleteProgram } from "../check/finding.js";
import { generate } from "../generate/generate.js";
import { programCodec } from "./json.js";

/** Runs of steps left out: halves of the program first, single ones last. Every list of steps is a program. */
function* smaller(program: CompleteProgram): Generator<fc.Value<CompleteProgram>, void, void> {
  const { steps } = program;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let end = steps.length; end > 0; end -= size) {
      const left = [...steps.slice(0, Math.max(0, end - size)), ...steps.slice(end)];
      yield new fc.Value({ ...program, steps: left }, undefined);
    }
  }
}

class Programs extends fc.Arbitrary<CompleteProgram> {
  readonly #choice: ReturnType<typeof choiceOf>;

  constructor(options: ProgramOptions) {
    super();
    this.#choice = choiceOf(options);
  }

  override generate(random: fc.Random): fc.Value<CompleteProgram> {
    const { version, config, steps } = generate(random.nextInt(0, 2 ** 31 - 1).toString(), 0, this.#choice);
    return new fc.Value({ version, config, steps }, undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is CompleteProgram {
    return programCodec.is(value);
  }

  override shrink(program: CompleteProgram): fc.Stream<fc.Value<CompleteProgram>> {
    return fc.stream(smaller(program));
  }
}

/**
 * Complete, legal programs for fast-check, of the same kinds as those of `check`: corner cases of fork and of capabilities,
 * and any steps between them. They shrink by leaving out steps.
 *
 * @throws {InputError} for an option that is not as it should be
 */
export const programs = (options: ProgramOptions = {}): fc.Arbitrary<CompleteProgram> => {
  checkOptions("programs", options);
  return new Programs(options);
};

/** What `npm run mutate` mutates, and which tests have to notice: short ones, for they run again for every mutant. */
import { existsSync } from "node:fs";

export interface MutationArea {
  /** Files, as globs from the root of the repository. */
  readonly mutate: readonly string[];
  /** Test files and folders, in the order in which they run; the first test that fails ends the run. */
  readonly tests: readonly string[];
}

/** By the folder that is named on the command line, or that holds the file that is. */
export const mutationAreas: Readonly<Record<string, MutationArea>> = {
  "spec/cheri": {
    mutate: ["spec/cheri/**/*.ts", "!spec/cheri/**/index.ts"],
    tests: ["tests/spec/cheri/rules", "tests/properties/codec.test.ts", "tests/conformance/vectors.test.ts"],
  },
  "spec/sfork": {
    mutate: ["spec/sfork/*.ts", "!spec/sfork/index.ts"],
    tests: [
      ...["pages", "fork", "copying", "sweep", "layout", "exit", "exec", "channels", "descriptors", "pipes"],
      ...["files", "kernel", "devices", "attributes", "signals", "steps", "config"],
    ].map((name) => `tests/spec/sfork/${name}.test.ts`),
  },
};

/** The area of a folder or file, or undefined. */
export const areaOf = (target: string): MutationArea | undefined =>
  Object.entries(mutationAreas).find(([folder]) => target === folder || target.startsWith(`${folder}/`))?.[1];

/** A line for whoever typed something that cannot be mutated. */
export const mistakeIn = (targets: readonly string[]): string | undefined => {
  const [first] = targets;
  if (first === undefined) return "nothing to mutate was named; name a folder or files";
  const odd = targets.find((target) => areaOf(target) === undefined);
  if (odd !== undefined)
    return `${odd} cannot be mutated; name one of ${Object.keys(mutationAreas).join(", ")}, or a file there`;
  const stranger = targets.find((target) => areaOf(target) !== areaOf(first));
  if (stranger !== undefined)
    return `${stranger} is not in the same folder as ${first}; mutate them one after the other`;
  const missing = targets.find((target) => !existsSync(target));
  return missing === undefined ? undefined : `${missing} does not exist; give paths from the root of the repository`;
};

/** The variable that tells the configuration of the tests what is mutated. */
export const targetVariable = "SFORK_MUTATE";

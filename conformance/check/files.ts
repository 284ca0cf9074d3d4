/** Programs of files that are judged as those of a seed are: a folder of them in the order of names. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { chain, isLeft, left, map, right, type Either } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { InputError, whyUnreadable } from "../errors.js";
import { formatNames } from "../program/config-codec.js";
import { readProgram } from "../program/file.js";
import { configOf } from "../program/trace.js";
import { strategiesFor, type CampaignSettings, type FileProgram, type Subject } from "./campaign.js";
import type { CompleteProgram } from "./finding.js";
import { wrongForKernel } from "./kernel.js";
import { labelOf } from "./token.js";

/** A program with a configuration that the implementation can run; a line that says why there is none. */
export const readComplete = async (file: string, impl: Subject): Promise<Either<InputError, CompleteProgram>> =>
  pipe(
    await readProgram(file),
    chain((source) =>
      pipe(
        configOf(source, file),
        chain((config) => {
          const wrong = impl === "linux" ? wrongForKernel(config) : undefined;
          return wrong === undefined ? right(config) : left(new InputError(file, source.lineOf("config"), wrong));
        }),
        chain((config) =>
          strategiesFor(impl).includes(config.strategy)
            ? right(config)
            : left(
                new InputError(
                  file,
                  source.lineOf("config"),
                  `${labelOf(impl)} does not have the strategy ${config.strategy}; name one of ${strategiesFor(impl).join(", ")}`,
                ),
              ),
        ),
        map((config) => ({ version: source.program.version, config, steps: source.program.steps })),
      ),
    ),
  );

/** What a program of a file is judged by, where it is not one of a campaign's. */
export const settingsAround = (
  impl: CampaignSettings["impl"],
  { config, steps }: CompleteProgram,
): CampaignSettings => ({
  ...{ impl, seed: "file", formats: formatNames, strategies: [config.strategy], profile: "mixed" },
  steps: Math.max(1, steps.length),
});

/** Names that end as program files do, in the order of their characters, which is the same everywhere. */
export const programFiles = (names: readonly string[]): readonly string[] =>
  names.filter((name) => /^[^.].*\.(sfork|json)$/.test(name)).toSorted((a, b) => (a < b ? -1 : 1));

const namesIn = async (folder: string): Promise<readonly string[]> => {
  try {
    return programFiles(await readdir(folder));
  } catch (error) {
    const isFile = error instanceof Error && "code" in error && error.code === "ENOTDIR";
    throw new InputError(folder, undefined, isFile ? "is not a folder; name the one it is in" : whyUnreadable(error));
  }
};

/** The programs of a folder; throws the `InputError` of the first that cannot be read. */
export const readCorpus = async (folder: string, impl: Subject): Promise<readonly FileProgram[]> => {
  const names = await namesIn(folder);
  if (names.length === 0)
    throw new InputError(folder, undefined, "holds no program files (.sfork, .json); name another");
  const programs: FileProgram[] = [];
  for (const [index, name] of names.entries()) {
    const file = join(folder, name);
    const program = await readComplete(file, impl);
    if (isLeft(program)) throw program.left;
    programs.push({ index, file, program: program.right });
  }
  return programs;
};

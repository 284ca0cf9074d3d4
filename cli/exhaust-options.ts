/** The options of `sfork exhaust`, as they are typed and as they are meant. */
import { availableParallelism } from "node:os";
import { InvalidArgumentError, Option, type Command } from "commander";
import { z } from "zod";
import { defaultMaxFindings } from "../conformance/check/saved.js";
import { defects } from "../conformance/defects/catalogue.js";
import { alphabets } from "../conformance/exhaust/alphabets/index.js";
import type { SpaceName } from "../conformance/exhaust/space.js";
import { formatNames } from "../conformance/program/config-codec.js";
import { fastStrategies } from "../impl/fast/index.js";
import { milliseconds, mostWorkers, names, whole } from "./check-options.js";

const positive = z.number().int().positive();

export const exhaustSchema = z.object({
  alphabet: z.array(z.string()).min(1),
  format: z.array(z.enum(formatNames)).min(1),
  strategy: z.array(z.enum(fastStrategies)).min(1),
  processes: positive,
  depth: positive.optional(),
  /** Milliseconds. */
  time: positive.optional(),
  maxFindings: positive,
  workers: positive,
  defect: z.string().optional(),
  fresh: z.boolean().default(false),
  list: z.boolean().default(false),
  json: z.boolean().default(false),
});

export type ExhaustOptions = z.infer<typeof exhaustSchema>;

/** Every alphabet that is asked for on every machine that is. */
export const spacesOf = ({ alphabet, format, strategy, processes }: ExhaustOptions): readonly SpaceName[] =>
  alphabet.flatMap((one) =>
    format.flatMap((of) => strategy.map((by) => ({ alphabet: one, format: of, strategy: by, processes }))),
  );

const alphabetNames = alphabets.map(({ name }) => name);

/** Programs are longer than this nowhere but where nothing new is left to be found. */
const mostDepth = 1000;

const defectOf = (text: string): string => {
  const known = defects.find(({ id }) => id.toLowerCase() === text.toLowerCase());
  if (known === undefined) {
    throw new InvalidArgumentError("Name a defect of the catalogue; sfork defects --list has them.");
  }
  return known.id;
};

/** A third one is a child beside another, or a grandchild; with more, states repeat what three show. */
const processesOf = (text: string): number => {
  if (!/^[2-4]$/.test(text)) throw new InvalidArgumentError("Give 2, 3 or 4.");
  return Number(text);
};

export const addExhaustOptions = (command: Command): Command =>
  command
    .addOption(
      new Option("--alphabet <names>", `which operations: some of ${alphabetNames.join(", ")}, or all`)
        .argParser(names(alphabetNames))
        .default(["memory"], "memory"),
    )
    .addOption(new Option("--depth <n>", "programs of up to so many steps").argParser(whole(mostDepth)))
    .addOption(
      new Option("--time <time>", "end after 500ms, 60s, 2m, 1h (default: 10s without --depth)").argParser(
        milliseconds,
      ),
    )
    .addOption(
      new Option("--format <names>", `some of ${formatNames.join(", ")}, or all`)
        .argParser(names(formatNames))
        .default(["cheri128-v9"], "cheri128-v9"),
    )
    .addOption(
      new Option("--strategy <names>", `some of ${fastStrategies.join(", ")}, or all`)
        .argParser(names(fastStrategies))
        .default(["copa"], "copa"),
    )
    .addOption(
      new Option("--processes <n>", "live processes and zombies at once, 2 to 4").argParser(processesOf).default(2),
    )
    .addOption(
      new Option("--workers <n>", "states that are expanded at a time")
        .argParser(whole(mostWorkers))
        .default(availableParallelism(), "one for each core"),
    )
    .addOption(
      new Option("--max-findings <n>", "end after so many different findings")
        .argParser(whole(1_000_000_000))
        .default(defaultMaxFindings),
    )
    .addOption(
      new Option("--defect <id>", "judge this defect of the catalogue in the place of the implementation").argParser(
        defectOf,
      ),
    )
    .option("--fresh", "begin anew, whatever earlier runs came to")
    .option("--list", "print the operations of the alphabets and end")
    .option("--json", "print one JSON object at the end");

/** `sfork image`: the core of a real process, forked under each strategy. */
import process from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import { Command, Option } from "commander";
import { z } from "zod";
import { InputError } from "../conformance/errors.js";
import { readCore } from "../conformance/image/core.js";
import { forkImage, imageStrategies, type ForkResult, type ImageStrategy } from "../conformance/image/forks.js";
import { readMaps } from "../conformance/image/maps.js";
import { imageFormats, packed } from "../conformance/image/pack.js";
import { pairImages } from "../conformance/image/pair.js";
import { countPointers } from "../conformance/image/pointers.js";
import {
  besideLine,
  forkLines,
  imageJson,
  isOk,
  layoutLines,
  pairLines,
  summaryLines,
} from "../conformance/image/print.js";
import { names } from "./check-options.js";
import { exitCodes, type ExitCode } from "./errors.js";
import { complain, out } from "./output.js";
import { createProgress } from "./progress.js";

const optionsSchema = z.object({
  maps: z.string().optional(),
  pair: z.string().optional(),
  pairMaps: z.string().optional(),
  strategy: z.array(z.custom<ImageStrategy>((name) => imageStrategies.some((known) => known === name))).min(1),
  format: z.enum(imageFormats),
  layout: z.boolean().default(false),
  json: z.boolean().default(false),
});

type Options = z.infer<typeof optionsSchema>;

const examples = `
Examples:
  $ gcore -o app 1234 && sfork image app.1234
  $ sfork image examples/images/redis.core.gz
  $ sfork image app.1234 --maps app.maps --layout
  $ sfork image app.1234 --pair other.5678 --strategy copa --json

A core is an ELF file of 64 bits, little-endian, of x86-64 or aarch64, as gcore and the kernel write it, gzipped or not. Its
pages that are not zero are packed into one region, each word of 8 bytes becomes a granule of 16, and words that lead into a
mapping become capabilities to it: an inferred pointer graph. The image is forked once under each strategy; INV-1 to INV-4
are judged over every granule of parent and child. shared-segments and naive-cow are known not to isolate.
--maps names a copy of /proc/PID/maps; --pair another core of the same program under another layout, which tells pointers
from integers: docs/images.md says how.

Exit status: 0 every strategy that is meant to isolate does; 1 one does not; 2 wrong usage, or a file that cannot be read;
3 the output could not be written; 130 interrupted.`;

const imageOf = (core: string, maps: string | undefined) =>
  readCore(core, maps === undefined ? {} : { maps: readMaps(maps) });

const write = (lines: readonly string[]): void => {
  process.stdout.write(`${lines.join("\n")}\n`);
};

const forks = async (
  of: ReturnType<typeof packed>,
  strategies: readonly ImageStrategy[],
): Promise<readonly ForkResult[]> => {
  const progress = createProgress();
  const results: ForkResult[] = [];
  for (const strategy of strategies) {
    progress.update(`forking under ${strategy}`);
    results.push(forkImage(of, strategy));
    await turn();
  }
  progress.clear();
  return results;
};

const run = async (core: string, options: Options, done: (code: ExitCode) => void): Promise<void> => {
  const { maps, pair, pairMaps, strategy, format, layout, json } = options;
  if (pairMaps !== undefined && pair === undefined) {
    throw new InputError("sfork", undefined, "--pair-maps is of a second core; name that with --pair");
  }
  const image = imageOf(core, maps);
  const agreement = pair === undefined ? undefined : pairImages(image, imageOf(pair, pairMaps));
  const of = packed(image, { format });
  const counts = countPointers(image);
  if (!json) {
    write([...summaryLines(of, counts), ""]);
    if (agreement !== undefined) write([...pairLines(agreement), ""]);
    if (layout) write([...layoutLines(of), ""]);
  }
  const results = await forks(of, strategy);
  done(isOk(results) ? exitCodes.held : exitCodes.finding);
  if (json) process.stdout.write(`${JSON.stringify(imageJson(of, counts, results, agreement), null, 2)}\n`);
  else write([...forkLines(of, results), out.dim(besideLine(of, results))]);
};

export const imageCommand = (done: (code: ExitCode) => void): Command =>
  new Command("image")
    .description("fork the core of a real process under each strategy, and judge every granule")
    .argument("<core>", "an ELF core, gzipped or not")
    .option("--maps <file>", "a copy of the process's /proc/PID/maps: names and permissions of its mappings")
    .option("--pair <core>", "a second core of the same program under another layout, to judge the inferred pointers")
    .option("--pair-maps <file>", "the maps of that one")
    .addOption(
      new Option("--strategy <names>", `some of ${imageStrategies.join(", ")}, or all`)
        .argParser(names(imageStrategies))
        .default(imageStrategies, "all"),
    )
    .addOption(new Option("--format <name>", "format of the capabilities").choices(imageFormats).default("cheri128-v9"))
    .option("--layout", "print where each mapping lies in the region")
    .option("--json", "print one JSON object")
    .addHelpText("after", examples)
    .action(async (core: string, options: unknown) => {
      try {
        await run(core, optionsSchema.parse(options), done);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        complain(error.describe());
        done(exitCodes.usage);
      }
    });

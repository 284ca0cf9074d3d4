/**
 * Compares the specification's capability codec with the optimised one on random words, every function of both.
 *
 *   tsx scripts/agree.ts [--patterns N] [--seed S] [--format F]...
 *
 * N words for each format (10000), from seed S (1), in all formats or the named ones. Exit code 1 at the first difference,
 * which is printed; 2 for arguments that make no sense.
 */
import { realpathSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Codec } from "../conformance/codec.js";
import { fastCodec } from "../conformance/fast-codec.js";
import { specCodec } from "../conformance/spec-codec.js";
import type { FormatName } from "../spec/cheri/index.js";
import { agree, describeDisagreement } from "../tests/properties/agree.js";
import { formatNames } from "../tests/properties/geometry.js";

interface Output {
  readonly write: (text: string) => unknown;
}

interface Streams {
  readonly out: Output;
  /** Progress goes here if it is a terminal. */
  readonly err: Output & { readonly isTTY?: boolean };
}

interface Options {
  readonly patterns: number;
  readonly seed: number;
  readonly formats: readonly FormatName[];
}

const wholeNumber = (option: string, text: string, least: number, most: number): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new RangeError(`--${option} takes a whole number from ${least} to ${most}, not ${text}`);
  }
  return value;
};

const formatNamed = (text: string): FormatName => {
  const found = formatNames.find((name) => name === text);
  if (found === undefined) throw new RangeError(`--format takes one of ${formatNames.join(", ")}, not ${text}`);
  return found;
};

const readOptions = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      patterns: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      format: { type: "string", multiple: true, default: [...formatNames] },
    },
  });
  return {
    patterns: wholeNumber("patterns", values.patterns, 1, 1_000_000_000),
    seed: wholeNumber("seed", values.seed, 0, 0xffff_ffff),
    formats: values.format.map(formatNamed),
  };
};

const optionsOf = (args: readonly string[]): Options | Error => {
  try {
    return readOptions(args);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
};

const duration = (seconds: number): string =>
  seconds < 60 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

/** Clears the line that progress is shown on. */
const clear = "\r\u001b[2K";

export const main = (
  args: readonly string[],
  { out, err }: Streams,
  codecs: readonly [Codec, Codec] = [specCodec, fastCodec],
): number => {
  const options = optionsOf(args);
  if (options instanceof Error) {
    err.write(`agree: ${options.message.split("\n")[0] ?? ""}\n`);
    return 2;
  }
  const { patterns, seed, formats } = options;
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  let shownAt = 0;
  const progress = (format: FormatName, done: number): void => {
    if (err.isTTY !== true || seconds() - shownAt < 0.2) return;
    shownAt = seconds();
    const rate = done / shownAt;
    const left = duration((patterns * formats.length - done) / rate);
    const percent = Math.floor((100 * done) / (patterns * formats.length));
    err.write(`${clear}${format}: ${percent}%, ${Math.round(rate)} words/s, ${left} left`);
  };
  let compared = 0;
  for (const [index, format] of formats.entries()) {
    const result = agree(codecs, format, { patterns, seed }, (done) => {
      progress(format, index * patterns + done);
      return true;
    });
    if (shownAt > 0) err.write(clear);
    compared += result.compared;
    if (result.disagreement !== undefined) {
      out.write(`${describeDisagreement(result.disagreement, seed)}\n`);
      return 1;
    }
  }
  const rate = Math.round((patterns * formats.length) / seconds());
  const which = formats.length === formatNames.length ? "all formats" : formats.join(", ");
  out.write(
    `${which}: ${patterns} words each, ${compared} answers compared, all alike ` +
      `(seed ${seed}, ${duration(seconds())}, ${rate} words/s)\n`,
  );
  return 0;
};

const script = process.argv[1];
if (script !== undefined && import.meta.url === pathToFileURL(realpathSync(script)).href) {
  process.exitCode = main(process.argv.slice(2), { out: process.stdout, err: process.stderr });
}

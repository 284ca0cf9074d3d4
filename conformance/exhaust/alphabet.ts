/** Alphabets: the operations, with their operands, of which every program is made that a search looks at. */
import { isLeft } from "fp-ts/lib/Either.js";
import { formats } from "../../spec/cheri/index.js";
import type { Config } from "../../spec/sfork/config.js";
import type { Operation } from "../../spec/sfork/operation.js";
import { parseTextProgram } from "../program/text.js";

/** Places in the two pages of data that every process has, as offsets from their start and as addresses in slot 0. */
interface Places {
  /** Bytes of a granule, and of a page. */
  readonly granule: number;
  readonly page: number;
  /** Address of the first byte, and of the one behind the data. */
  readonly start: bigint;
  readonly end: bigint;
}

export interface Alphabet {
  readonly name: string;
  /** What it is about, in a line. */
  readonly what: string;
  /** What its configurations need beside the smallest one. */
  readonly config?: Partial<Config>;
  /** The operations as a program file has them. */
  readonly operations: (places: Places) => readonly string[];
}

/** What every alphabet has: a search without processes would be about capabilities alone. */
export const processOperations = ["fork c7", "exit 0", "wait c7"] as const;

const placesOf = ({ format, page, base }: Config): Places => {
  const start = base;
  return { granule: Number(formats[format].granule), page, start, end: base + 2n * BigInt(page) };
};

/** The operations of an alphabet in a configuration. Throws the `InputError` of a line that is no operation. */
export const operationsOf = ({ name, operations }: Alphabet, config: Config): readonly Operation[] => {
  const lines = operations(placesOf(config)).map((operation) => `0: ${operation}`);
  const read = parseTextProgram(["sfork 1", ...lines].join("\n"), `alphabet ${name}`);
  if (isLeft(read)) throw read.left;
  return read.right.program.steps.map(({ operation }) => operation);
};

/** Check one vector file against implementations: stream it, judge each vector, keep the first mismatches. */
import type { z } from "zod";
import { formats } from "../../spec/cheri/index.js";
import type { Codec } from "../codec.js";
import { InputError } from "../errors.js";
import { answers, type Answer } from "./codec-kinds.js";
import { answerInstruction, MissingOperand } from "./instructions.js";
import { readLines, type Line } from "./lines.js";
import { codecRowSchemas, headerSchema, instructionRowSchema, type CodecKind, type Header } from "./schema.js";

/** A vector that an implementation answers otherwise. */
export interface Mismatch {
  readonly line: number;
  /** The vector as it stands in the file. */
  readonly vector: string;
  readonly differences: readonly Difference[];
}

/** One field, by its path, with both values printed. */
export interface Difference {
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
}

/** How one implementation fared on one file. */
export interface VectorRow {
  readonly file: string;
  readonly format: string;
  readonly kind: string;
  readonly impl: Codec["name"];
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly mismatches: readonly Mismatch[];
}

export interface FileReport {
  readonly rows: readonly VectorRow[];
  /** Why reading ended early, if it did. What was checked until then is in `rows`. */
  readonly error: InputError | undefined;
}

/** Mismatches that are kept and shown in full for each row; all are counted. */
const keptMismatches = 3;

/** Called now and then while a file is read; `false` asks to stop. */
export type Progress = (at: { readonly vectors: number; readonly fraction: number }) => boolean;

type Judgement =
  | { readonly verdict: "passed" | "skipped" }
  | { readonly verdict: "failed"; readonly differences: readonly Difference[] };

type Judge = (codec: Codec, line: Line) => Judgement;

const passed: Judgement = { verdict: "passed" };
const skipped: Judgement = { verdict: "skipped" };

const judgement = (differences: readonly Difference[]): Judgement =>
  differences.length === 0 ? passed : { verdict: "failed", differences };

export const printValue = (value: unknown): string => {
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  if (value === undefined) return "(absent)";
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? printValue(inner) : inner));
};

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/** Fields that differ. `lenient` ones are compared where both sides have them (`top`, `mtval`). */
const compare = (
  path: string,
  expected: unknown,
  actual: unknown,
  lenient: ReadonlySet<string>,
): readonly Difference[] => {
  if (!isObject(expected) || !isObject(actual)) {
    return expected === actual ? [] : [{ path, expected: printValue(expected), actual: printValue(actual) }];
  }
  const wanted = new Map<string, unknown>(Object.entries(expected));
  const given = new Map<string, unknown>(Object.entries(actual));
  return [...new Set([...wanted.keys(), ...given.keys()])]
    .filter((key) => !lenient.has(key) || (wanted.has(key) && given.has(key)))
    .flatMap((key) => compare(path === "" ? key : `${path}.${key}`, wanted.get(key), given.get(key), lenient));
};

const strictly: ReadonlySet<string> = new Set();
const fromOutside: ReadonlySet<string> = new Set(["top", "mtval"]);

const parseJson = (file: string, { number, text }: Line): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(file, number, "the line is not JSON; a vector file holds one JSON object a line");
  }
};

/** Read a line by a schema: `undefined` where a field is not known here, an error where it cannot be read. */
const read = <Schema extends z.ZodType>(file: string, line: Line, schema: Schema): z.infer<Schema> | undefined => {
  const result = schema.safeParse(parseJson(file, line));
  if (result.success) return result.data;
  const issues = result.error.issues;
  const wrong = issues.find((issue) => issue.code !== "unrecognized_keys");
  if (wrong === undefined) return undefined;
  const path = wrong.path.join(".");
  throw new InputError(file, line.number, path === "" ? wrong.message : `${path}: ${wrong.message}`);
};

const judgeRow = <In>(
  row: { readonly in: In; readonly out: object } | undefined,
  answer: (into: In) => Answer,
): Judgement => (row === undefined ? skipped : judgement(compare("out", row.out, answer(row.in), strictly)));

const judgeCodecKind = (file: string, format: Header["format"], kind: CodecKind): Judge => {
  const schemas = codecRowSchemas(format);
  const judges: Readonly<Record<CodecKind, Judge>> = {
    decode: (codec, line) => judgeRow(read(file, line, schemas.decode), (row) => answers.decode(codec, format, row)),
    setbounds: (codec, line) =>
      judgeRow(read(file, line, schemas.setbounds), (row) => answers.setbounds(codec, format, row)),
    setaddr: (codec, line) => judgeRow(read(file, line, schemas.setaddr), (row) => answers.setaddr(codec, format, row)),
    crrl: (codec, line) => judgeRow(read(file, line, schemas.crrl), (row) => answers.crrl(codec, format, row)),
    perms: (codec, line) => judgeRow(read(file, line, schemas.perms), (row) => answers.perms(codec, format, row)),
    seal: (codec, line) => judgeRow(read(file, line, schemas.seal), (row) => answers.seal(codec, format, row)),
    relocate: (codec, line) =>
      judgeRow(read(file, line, schemas.relocate), (row) => answers.relocate(codec, format, row)),
  };
  return judges[kind];
};

const judgeInstruction =
  (file: string): Judge =>
  (_, line) => {
    const row = read(file, line, instructionRowSchema);
    if (row === undefined) return skipped;
    try {
      const answer = answerInstruction(row);
      if (answer === undefined) return skipped;
      const inputs = Object.entries(answer.inputs).flatMap(([name, decoded]) =>
        compare(`inputs.${name}`, row.inputs[name as keyof typeof row.inputs], decoded, fromOutside),
      );
      const executed = compare("result", row.result, answer.result, fromOutside);
      const sail =
        row.sail_result === undefined ? executed : compare("sail_result", row.sail_result, answer.result, fromOutside);
      return judgement([...inputs, ...(sail.length === 0 ? sail : executed)]);
    } catch (error) {
      if (error instanceof MissingOperand) throw new InputError(file, line.number, error.message);
      throw error;
    }
  };

const readHeader = (file: string, line: Line): Header => {
  const header = read(file, line, headerSchema);
  if (header === undefined) throw new InputError(file, line.number, "the first line is not a header");
  if (header.kind === "instructions" && header.format !== "cheri128-v9") {
    throw new InputError(file, line.number, "instruction vectors exist for cheri128-v9 only");
  }
  if (formats[header.format].name === "uncompressed256") {
    throw new InputError(
      file,
      line.number,
      "uncompressed256 is this project's own layout; there are no vectors for it",
    );
  }
  return header;
};

/** Vectors between two calls of `progress`. */
const progressEvery = 500;

/** Check `file` against each of `codecs`; `instructions` are for the specification alone. */
export const checkVectorFile = async (
  file: string,
  codecs: readonly Codec[],
  progress: Progress = () => true,
): Promise<FileReport> => {
  const tallies = new Map<Codec, { passed: number; failed: number; skipped: number; mismatches: Mismatch[] }>();
  let header: Header | undefined;
  const report = (error: InputError | undefined): FileReport => ({
    error,
    rows: [...tallies].map(([codec, tally]) => ({
      file,
      format: header?.format ?? "",
      kind: header?.kind ?? "",
      impl: codec.name,
      ...tally,
    })),
  });
  try {
    const reading = await readLines(file);
    let judge: Judge | undefined;
    let vectors = 0;
    let lastLine = 0;
    for await (const line of reading.lines) {
      lastLine = line.number;
      if (line.text.trim() === "") continue;
      if (judge === undefined || header === undefined) {
        header = readHeader(file, line);
        const { kind, format } = header;
        judge = kind === "instructions" ? judgeInstruction(file) : judgeCodecKind(file, format, kind);
        for (const codec of codecs) {
          if (kind === "instructions" && codec.name !== "spec") continue;
          tallies.set(codec, { passed: 0, failed: 0, skipped: 0, mismatches: [] });
        }
        continue;
      }
      for (const [codec, tally] of tallies) {
        const result = judge(codec, line);
        tally[result.verdict] += 1;
        if (result.verdict === "failed" && tally.mismatches.length < keptMismatches) {
          tally.mismatches.push({ line: line.number, vector: line.text, differences: result.differences });
        }
      }
      vectors += 1;
      if (vectors % progressEvery === 0) {
        const fraction = reading.size === 0 ? 1 : reading.position() / reading.size;
        if (!progress({ vectors, fraction })) return report(undefined);
      }
    }
    if (header === undefined) throw new InputError(file, 1, "the file is empty; the first line must be a header");
    if (vectors !== header.count) {
      throw new InputError(
        file,
        lastLine,
        `the header counts ${String(header.count)} vectors, the file holds ${String(vectors)}; it is truncated or its header is wrong`,
      );
    }
    return report(undefined);
  } catch (error) {
    if (error instanceof InputError) return report(error);
    throw error;
  }
};

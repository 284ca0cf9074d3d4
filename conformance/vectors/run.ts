/** Check one vector file against implementations: stream it, judge each vector, keep the first mismatches. */
import type { z } from "zod";
import type { Codec } from "../codec.js";
import { InputError, quote } from "../errors.js";
import { answers, type Answer } from "./codec-kinds.js";
import { answerInstruction, MissingOperand } from "./instructions.js";
import { readLines, type Line } from "./lines.js";
import { codecRowSchemas, headerSchema, instructionRowSchema, type CodecKind, type Header } from "./schema.js";

/** A vector that an implementation answers otherwise. */
interface Mismatch {
  readonly line: number;
  /** The vector as it stands in the file. */
  readonly vector: string;
  readonly differences: readonly Difference[];
}

/** One field, by its path, with both values printed. */
interface Difference {
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
  readonly firstSkipped: Skipped | undefined;
}

export interface FileReport {
  readonly rows: readonly VectorRow[];
  /** Why reading ended early, if it did. What was checked until then is in `rows`. */
  readonly error: InputError | undefined;
}

/** Mismatches that are kept and shown in full for each row; all are counted. */
const keptMismatches = 3;

/** Called now and then while a file is read, with the vectors done and those that the header counts. */
export type Progress = (vectors: number, of: number) => void;

/** A vector that was not judged, and why: the first of each file. */
interface Skipped {
  readonly line: number;
  readonly reason: string;
}

type Judgement =
  | { readonly verdict: "passed" }
  | { readonly verdict: "skipped"; readonly reason: string }
  | { readonly verdict: "failed"; readonly differences: readonly Difference[] };

type Judge = (codec: Codec, line: Line) => Judgement;

const passed: Judgement = { verdict: "passed" };
const skipped = (reason: string): Judgement => ({ verdict: "skipped", reason });

const judgement = (differences: readonly Difference[]): Judgement =>
  differences.length === 0 ? passed : { verdict: "failed", differences };

const printValue = (value: unknown): string => {
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

/** Names of fields that a schema does not know. */
class UnknownFields {
  readonly names: string;

  constructor(names: readonly string[]) {
    this.names = names.map((name) => quote(name)).join(", ");
  }
}

/** An issue in words: what is wrong with which value. */
const explain = (issue: z.core.$ZodIssue): string => {
  if (issue.code === "invalid_type") {
    return issue.input === undefined ? "is missing" : `must be a ${issue.expected}, and is ${quote(issue.input)}`;
  }
  if (issue.code === "invalid_format") return `${quote(issue.input)} is not a lower-case 0x hex string`;
  if (issue.code === "too_small") return `${quote(issue.input)} is too small`;
  return issue.message;
};

/** Read a line by a schema; an error where it cannot be read. */
const read = <Schema extends z.ZodType>(file: string, line: Line, schema: Schema): z.infer<Schema> | UnknownFields => {
  const result = schema.safeParse(parseJson(file, line), { reportInput: true });
  if (result.success) return result.data;
  const { issues } = result.error;
  const wrong = issues.find((issue) => issue.code !== "unrecognized_keys");
  const unknown = new UnknownFields(
    issues.flatMap((issue) =>
      issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key].join(".")) : [],
    ),
  );
  if (wrong === undefined) return unknown;
  const beside = unknown.names === "" ? "" : ` (and ${unknown.names} is not known)`;
  const path = wrong.path.join(".");
  throw new InputError(file, line.number, `${path === "" ? "" : `${path}: `}${explain(wrong)}${beside}`);
};

const judgeRow = <In>(
  row: { readonly in: In; readonly out: object } | UnknownFields,
  answer: (into: In) => Answer,
): Judgement =>
  row instanceof UnknownFields
    ? skipped(`${row.names} is not known`)
    : judgement(compare("out", row.out, answer(row.in), strictly));

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
    if (row instanceof UnknownFields) return skipped(`${row.names} is not known`);
    try {
      const answer = answerInstruction(row);
      if (answer === undefined) return skipped(`the instruction ${quote(row.op)} is not known`);
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

const headerHelp = "the first line must be a header: format, kind, count";

const readHeader = (file: string, line: Line): Header => {
  const json = parseJson(file, line);
  if (typeof json !== "object" || json === null || !("format" in json && "kind" in json)) {
    throw new InputError(file, line.number, headerHelp);
  }
  const header = read(file, line, headerSchema);
  if (header instanceof UnknownFields) throw new InputError(file, line.number, headerHelp);
  if (header.kind === "instructions" && header.format !== "cheri128-v9") {
    throw new InputError(file, line.number, "instruction vectors exist for cheri128-v9 only");
  }
  return header;
};

/** Vectors between two calls of `progress`. */
const progressEvery = 500;

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  firstSkipped: Skipped | undefined;
  readonly mismatches: Mismatch[];
}

const record = (tally: Tally, line: Line, result: Judgement): void => {
  tally[result.verdict] += 1;
  if (result.verdict === "skipped") tally.firstSkipped ??= { line: line.number, reason: result.reason };
  if (result.verdict === "failed" && tally.mismatches.length < keptMismatches) {
    tally.mismatches.push({ line: line.number, vector: line.text, differences: result.differences });
  }
};

/** How to judge the vectors of a file, and the tallies to keep: instructions are for the specification alone. */
const begin = (file: string, header: Header, codecs: readonly Codec[]) => ({
  judge: header.kind === "instructions" ? judgeInstruction(file) : judgeCodecKind(file, header.format, header.kind),
  tallies: new Map<Codec, Tally>(
    codecs
      .filter(({ name }) => header.kind !== "instructions" || name === "spec")
      .map((codec) => [codec, { passed: 0, failed: 0, skipped: 0, firstSkipped: undefined, mismatches: [] }]),
  ),
});

const counted = (file: string, line: number, { count }: Header, vectors: number): InputError | undefined =>
  count === vectors
    ? undefined
    : new InputError(
        file,
        line,
        `the header counts ${String(count)} vectors, the file holds ${String(vectors)}; it is truncated or its header is wrong`,
      );

/** Check `file` against each of `codecs`; `-` is standard input. */
export const checkVectorFile = async (
  file: string,
  codecs: readonly Codec[],
  progress: Progress = () => undefined,
  signal?: AbortSignal,
): Promise<FileReport> => {
  let header: Header | undefined;
  let started: ReturnType<typeof begin> | undefined;
  const report = (error: InputError | undefined): FileReport => ({
    error,
    rows: [...(started?.tallies ?? [])].map(([codec, tally]) => ({
      file,
      format: header?.format ?? "",
      kind: header?.kind ?? "",
      impl: codec.name,
      ...tally,
    })),
  });
  try {
    let vectors = 0;
    let lastLine = 0;
    for await (const line of readLines(file, signal)) {
      if (signal?.aborted === true) return report(undefined);
      lastLine = line.number;
      if (line.text.trim() === "") continue;
      if (header === undefined || started === undefined) {
        header = readHeader(file, line);
        started = begin(file, header, codecs);
        continue;
      }
      for (const [codec, tally] of started.tallies) record(tally, line, started.judge(codec, line));
      vectors += 1;
      if (vectors % progressEvery === 0) progress(vectors, header.count);
    }
    if (header === undefined) throw new InputError(file, 1, `the file is empty; ${headerHelp}`);
    return report(counted(file, lastLine, header, vectors));
  } catch (error) {
    if (signal?.aborted === true) return report(undefined);
    if (error instanceof InputError) return report(error);
    throw error;
  }
};

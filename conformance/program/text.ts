/** Programs as text, the form of programs.md. Lines are taken apart here; what the words mean is up to the codecs. */
import { chain, isLeft, left, map, mapLeft, right, type Either } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Config } from "../../spec/sfork/config.js";
import type { Operation, OperationName } from "../../spec/sfork/operation.js";
import { InputError } from "../errors.js";
import { configCodec, configValue } from "./config-codec.js";
import { parseExpectation } from "./expectation-text.js";
import {
  choicesOf,
  isOperationName,
  isSplitCallName,
  notAnOperation,
  notASplitCall,
  operandsOf,
  operationFrom,
  textFields,
} from "./operation-codec.js";
import { signatureOf } from "./print.js";
import { programVersion, type ProgramSource, type ProgramStep } from "./program.js";
import { decode, recordCodec, shown } from "./strict.js";
import { at, pairs, refuse, split, wordsOf, type Refusal, type Word } from "./words.js";

const parseConfig = (words: readonly Word[]): Either<Refusal, Partial<Config>> =>
  pipe(
    pairs(words, configValue),
    chain(({ members, columns }) => pipe(decode(configCodec, members), mapLeft(at(columns, 1)))),
  );

interface Operands {
  readonly members: Readonly<Record<string, string>>;
  readonly columns: ReadonlyMap<string, number>;
}

/** Name the operands of a line: one for each place, two where an offset and its register stand together. */
const nameOperands = (op: Word, name: OperationName, given: readonly Word[]): Either<Refusal, Operands> => {
  const places = operandsOf(name).filter((_, index, all) => all[index - 1]?.kind !== "offset");
  const needed = places.filter(({ kind }) => kind !== "optionalOrdinal").length;
  if (given.length < needed || given.length > places.length) {
    const column = given[places.length]?.column ?? op.column;
    const takes = places.length === 0 ? "no operands" : signatureOf(name);
    return refuse(column, `${name} takes ${takes}; ${given.length} ${given.length === 1 ? "is" : "are"} given`);
  }
  const members: Record<string, string> = {};
  const columns = new Map<string, number>();
  const put = (operand: string, { text, column }: Word): void => {
    members[operand] = text;
    columns.set(operand, column);
  };
  for (const [index, word] of given.entries()) {
    const place = places[index];
    if (place === undefined) continue;
    if (place.kind !== "offset") {
      put(place.name, word);
      continue;
    }
    const [, offset, register] = /^([^()]*)\(([^()]*)\)$/.exec(word.text) ?? [];
    if (offset === undefined || register === undefined) {
      return refuse(word.column, `${shown(word.text)} is not a place in memory; write 0x20(c1)`);
    }
    const base = operandsOf(name)[operandsOf(name).findIndex((operand) => operand.name === place.name) + 1];
    put(place.name, { text: offset.trim(), column: word.column });
    const space = register.length - register.trimStart().length;
    if (base !== undefined) put(base.name, { text: register.trim(), column: word.column + offset.length + 1 + space });
  }
  return right({ members, columns });
};

/** The operation within `call_enter`, which is all of its operands. */
const parseCall = (op: Word, rest: Word): Either<Refusal, Operation> => {
  const [called] = wordsOf(rest);
  if (called === undefined || !isSplitCallName(called.text)) {
    return refuse(called?.column ?? op.column, notASplitCall(called?.text));
  }
  const behind = called.column + called.text.length;
  return parseOperation(called, { text: rest.text.slice(behind - rest.column), column: behind });
};

/** A handler's two registers stand behind one another, with a comma between them, and are one operand. */
const withHandler = (name: OperationName, words: readonly Word[]): readonly Word[] => {
  const [code, data] = words.slice(-2);
  const isHandler = operandsOf(name).at(-1)?.kind === "action" && code?.text.startsWith("handler ") === true;
  return isHandler && data !== undefined && code !== data
    ? [...words.slice(0, -2), { text: `${code.text}, ${data.text}`, column: code.column }]
    : words;
};

const parseOperation = (op: Word, rest: Word): Either<Refusal, Operation> => {
  const name = op.text;
  if (!isOperationName(name)) return refuse(op.column, notAnOperation(name));
  const divided = operandsOf(name).find(({ kind }) => kind === "call");
  if (divided !== undefined) {
    return pipe(
      parseCall(op, rest),
      map((call) => operationFrom(name, { [divided.name]: call })),
    );
  }
  const start = rest.text.search(/(?:^|\s)\w+=/);
  const end = start === -1 ? rest.text.length : start;
  const words = split({ text: rest.text.slice(0, end), column: rest.column }, /,/g);
  const operands = nameOperands(op, name, withHandler(name, words));
  if (isLeft(operands)) return operands;
  const choices = pairs(wordsOf({ text: rest.text.slice(end), column: rest.column + end }), (_, word) => word);
  if (isLeft(choices)) return choices;
  // An operand is known by its place: `li c8 n=5` names a choice that li does not have.
  const wrong = Object.keys(choices.right.members).find((key) => !choicesOf(name).includes(key));
  if (wrong !== undefined) {
    const has = choicesOf(name).length === 0 ? "no choices" : `the choices ${choicesOf(name).join(", ")}`;
    return refuse(
      choices.right.columns.get(wrong) ?? op.column,
      `${shown(wrong)} is not a choice of ${name}; it has ${has}`,
    );
  }
  const columns = new Map([...operands.right.columns, ...choices.right.columns]);
  return pipe(
    decode(recordCodec(name, textFields(name)), { ...operands.right.members, ...choices.right.members }),
    mapLeft(at(columns, op.column)),
    map((members) => operationFrom(name, members)),
  );
};

const parseStep = (line: string): Either<Refusal, ProgramStep> => {
  const [, space, actor, colon, op, gap, rest] = /^(\s*)([^\s:]+)(\s*:\s*)(\S*)(\s*)(.*)$/.exec(line) ?? [];
  const first = wordsOf({ text: line, column: 1 })[0] ?? { text: "", column: 1 };
  if (space === undefined || actor === undefined || colon === undefined || op === undefined) {
    return refuse(
      first.column,
      `${shown(first.text)} begins no line; lines are 0: li c8, 0x40, config, expect or a # comment`,
    );
  }
  const number = Number(actor);
  if (!/^\d+$/.test(actor) || !Number.isSafeInteger(number)) {
    return refuse(first.column, `${shown(actor)} is not a thread; write its number, 0 for the first`);
  }
  const column = space.length + actor.length + colon.length + 1;
  return pipe(
    parseOperation({ text: op, column }, { text: rest ?? "", column: column + op.length + (gap ?? "").length }),
    map((operation) => ({ actor: number, operation })),
  );
};

/** What has been read of a program so far. */
interface Reading {
  config: Partial<Config> | undefined;
  configLine: number;
  headed: boolean;
  readonly steps: ProgramStep[];
  readonly lines: number[];
}

const readHeader = (reading: Reading, words: readonly Word[]): Either<Refusal, unknown> => {
  const [keyword, version, extra] = words;
  if (keyword?.text !== "sfork" || version === undefined) {
    return refuse(keyword?.column ?? 1, `a program begins with the line sfork ${programVersion}`);
  }
  if (version.text !== String(programVersion)) {
    return refuse(version.column, `version ${shown(version.text)} is not known here; the version is ${programVersion}`);
  }
  if (extra !== undefined) return refuse(extra.column, `${shown(extra.text)} is one word too many`);
  reading.headed = true;
  return right(undefined);
};

const readConfig = (
  reading: Reading,
  keyword: Word,
  words: readonly Word[],
  line: number,
): Either<Refusal, unknown> => {
  if (reading.config !== undefined) return refuse(keyword.column, "there is a config line already; keep one");
  if (reading.steps.length > 0) return refuse(keyword.column, "the config line comes before the first step; move it");
  return pipe(
    parseConfig(words),
    map((config) => {
      reading.config = config;
      reading.configLine = line;
    }),
  );
};

const readExpectation = (reading: Reading, keyword: Word, words: readonly Word[]): Either<Refusal, unknown> => {
  const step = reading.steps.at(-1);
  if (step === undefined) return refuse(keyword.column, "expect belongs to the step before it, and there is none");
  if (step.expect !== undefined) return refuse(keyword.column, "the step has an expectation already; keep one");
  return pipe(
    parseExpectation(keyword, words),
    map((expect) => {
      reading.steps[reading.steps.length - 1] = { ...step, expect };
    }),
  );
};

const readLine = (reading: Reading, text: string, line: number): Either<Refusal, unknown> => {
  const [keyword, ...words] = wordsOf({ text, column: 1 });
  if (keyword === undefined) return right(undefined);
  if (!reading.headed) return readHeader(reading, [keyword, ...words]);
  if (keyword.text === "config") return readConfig(reading, keyword, words, line);
  if (keyword.text === "expect") return readExpectation(reading, keyword, words);
  return pipe(
    parseStep(text),
    map((step) => {
      reading.steps.push(step);
      reading.lines.push(line);
    }),
  );
};

/** Read a text; what is wrong is told with file, line and column. */
export const parseTextProgram = (text: string, file: string): Either<InputError, ProgramSource> => {
  const reading: Reading = { config: undefined, configLine: 1, headed: false, steps: [], lines: [] };
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const read = readLine(reading, line.replace(/#.*$/, ""), index + 1);
    if (isLeft(read)) return left(new InputError(file, index + 1, read.left.message, read.left.column));
  }
  if (!reading.headed) return left(new InputError(file, 1, `the file is empty; a program begins with sfork 1`, 1));
  const { config, configLine, steps, lines: stepLines } = reading;
  return right({
    program: { version: programVersion, config: config ?? {}, steps },
    lineOf: (part) => (part === "config" ? configLine : (stepLines[part] ?? 1)),
  });
};

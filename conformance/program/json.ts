/** Programs as JSON. */
import { bimap, chain, isLeft, left, mapLeft, right, type Either } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import { InputError, quote } from "../errors.js";
import { configCodec } from "./config-codec.js";
import { expectationCodec } from "./expectation-codec.js";
import { offsetOf, placeOf } from "./json-places.js";
import {
  isOperation,
  isOperationName,
  jsonFields,
  membersOf,
  notAnOperation,
  operationFrom,
} from "./operation-codec.js";
import { programVersion, type Program, type ProgramSource, type ProgramStep } from "./program.js";
import {
  decode,
  field,
  guarded,
  isObject,
  listCodec,
  printProblem,
  recordCodec,
  wholeCodec,
  type Members,
  type Problem,
} from "./strict.js";

const actorCodec = wholeCodec("thread");

const isStep = (value: unknown): value is ProgramStep =>
  isObject(value) &&
  actorCodec.is(value["actor"]) &&
  isOperation(value["operation"]) &&
  (value["expect"] === undefined || expectationCodec.is(value["expect"]));

const operationName = guarded("operation", isOperationName, notAnOperation);

const validateStep = (input: unknown, context: t.Context): Either<t.Errors, ProgramStep> => {
  if (!isObject(input)) return t.failure(input, context, `${quote(input)} is not a step; write an object`);
  const named = operationName.validate(input["op"], t.appendContext(context, "op", operationName, input["op"]));
  if (isLeft(named)) return named;
  const op = named.right;
  const record = recordCodec(`a ${op} step`, {
    actor: field(actorCodec),
    op: field(operationName),
    ...jsonFields(op),
    expect: field(expectationCodec, true),
  });
  const members = record.validate(input, context);
  if (isLeft(members)) return members;
  const { actor, expect } = members.right;
  const step = { actor, operation: operationFrom(op, members.right), ...(expect === undefined ? {} : { expect }) };
  return isStep(step) ? t.success(step) : t.failure(input, context);
};

const encodeStep = ({ actor, operation, expect }: ProgramStep): Members => ({
  actor,
  op: operation.op,
  ...recordCodec(operation.op, jsonFields(operation.op)).encode(membersOf(operation)),
  ...(expect === undefined ? {} : { expect: expectationCodec.encode(expect) }),
});

/** A step with its operands beside its name: `{ "actor": 0, "op": "li", "cd": 8, "n": "0x40" }`. */
export const stepCodec = new t.Type<ProgramStep, Members>("step", isStep, validateStep, encodeStep);

const stepsCodec = listCodec("a list of steps", stepCodec);

const versionCodec = guarded(
  "version",
  (value): value is 1 => value === programVersion,
  (input) => `${quote(input)} is not a version that is known here; the version is ${programVersion}`,
);

const record = recordCodec("a program", {
  version: field(versionCodec),
  config: field(configCodec, true),
  steps: field(stepsCodec),
});

const isProgram = (value: unknown): value is Program =>
  isObject(value) &&
  versionCodec.is(value["version"]) &&
  configCodec.is(value["config"]) &&
  stepsCodec.is(value["steps"]);

/** A program as public-surface.md has it; the configuration may be left out. */
export const programCodec = new t.Type<Program, Members>(
  "program",
  isProgram,
  (input, context) => {
    const members = record.validate(input, context);
    if (isLeft(members)) return members;
    const program = { config: {}, ...members.right };
    return isProgram(program) ? t.success(program) : t.failure(input, context);
  },
  (program) => record.encode({ ...program }),
);

/** Decode a JSON value; what is wrong is told with its path. */
export const decodeProgram = (input: unknown): Either<Problem, Program> => decode(programCodec, input);

/** Read a JSON text; what is wrong is told with file, line and column. */
export const parseJsonProgram = (text: string, file: string): Either<InputError, ProgramSource> => {
  const refused = ({ offset, message }: SyntaxProblem): InputError => {
    const { line, column } = placeOf(text, offset);
    return new InputError(file, line, message, column);
  };
  const located = (problem: Problem): SyntaxProblem => ({
    offset: offsetOf(text, problem.path),
    message: printProblem(problem),
  });
  const lineOf = (part: number | "config"): number =>
    placeOf(text, offsetOf(text, part === "config" ? ["config"] : ["steps", part])).line;
  return pipe(
    parseJson(text),
    chain((json) => pipe(decodeProgram(json), mapLeft(located))),
    bimap(refused, (program) => ({ program, lineOf })),
  );
};

interface SyntaxProblem {
  readonly offset: number;
  readonly message: string;
}

const parseJson = (text: string): Either<SyntaxProblem, unknown> => {
  try {
    const json: unknown = JSON.parse(text);
    return right(json);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const position = /at position (\d+)/.exec(reason)?.[1];
    const offset = position === undefined ? text.trimEnd().length : Number(position);
    return left({ offset, message: "this is not JSON; is a comma, a quote or a bracket missing?" });
  }
};

/** A program as JSON text, a step a line. */
export const printJsonProgram = (program: Program): string => {
  const { version, config, steps } = programCodec.encode(program);
  const list: readonly unknown[] = Array.isArray(steps) ? steps : [];
  const lines = list.map((step) => `    ${JSON.stringify(step)}`).join(",\n");
  return [
    "{",
    `  "version": ${JSON.stringify(version)},`,
    `  "config": ${JSON.stringify(config)},`,
    lines === "" ? `  "steps": []` : `  "steps": [\n${lines}\n  ]`,
    "}",
    "",
  ].join("\n");
};

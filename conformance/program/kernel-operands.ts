/** Operands that are about kernel objects, as they stand in program files: descriptors, paths, signals and the like. */
import type * as t from "io-ts";
import {
  openFlags,
  wordOperands,
  type ActionOperand,
  type Target,
  type WordOperand,
} from "../../spec/sfork/operation.js";
import { quote } from "../errors.js";
import { numberLists, wordLists } from "./lists.js";
import { isRegister, notARegister, parseRegister, registerNumber, type OperandFields } from "./operands.js";
import {
  field,
  guarded,
  isObject,
  isWhole,
  parsed,
  remedy,
  shown,
  textWhole,
  wholeCodec,
  wordCodec,
} from "./strict.js";

type KernelKind = WordOperand | "descriptor" | "path" | "openFlags" | "action" | "signals" | "target";

const words: OperandFields<WordOperand> = {
  advice: field(wordCodec("advice", wordOperands.advice, "kinds of advice")),
  whence: field(wordCodec("whence", wordOperands.whence)),
  resource: field(wordCodec("resource", wordOperands.resource)),
  whose: field(wordCodec("whose", wordOperands.whose, "the words")),
  direction: field(wordCodec("direction", wordOperands.direction)),
};

const isPath = (value: unknown): value is string =>
  typeof value === "string" && /^(?:\/|\/?[a-z]+(?:\/[a-z]+)*)$/.test(value);

const path = guarded(
  "path",
  isPath,
  (input) => `${shown(input)} is not a path; write names of lower-case letters: a, /d/a, or / alone`,
);

const flags = wordLists("flag", openFlags, '["read", "create"]');

const signals = numberLists("signal", "[10, 12]");

const actionWords = ["default", "ignore"] as const;

const isActionWord = (value: unknown): value is (typeof actionWords)[number] =>
  actionWords.some((word) => word === value);

const isAction = (value: unknown): value is ActionOperand =>
  isActionWord(value) ||
  (isObject(value) && Object.keys(value).length === 2 && isRegister(value["code"]) && isRegister(value["data"]));

/** What stands behind the only key of `{ "handler": […] }`. */
const handlerOf = (input: unknown): readonly unknown[] | undefined =>
  isObject(input) && Object.keys(input).length === 1 && Array.isArray(input["handler"]) ? input["handler"] : undefined;

/** `default`, `ignore` or `{ "handler": [3, 1] }`. */
const jsonAction: t.Type<ActionOperand, unknown> = parsed(
  "action",
  isAction,
  (input) => {
    if (isActionWord(input)) return input;
    const registers = handlerOf(input);
    const [code, data] = registers ?? [];
    return registers?.length === 2 && isRegister(code) && isRegister(data) ? { code, data } : undefined;
  },
  (value) => (typeof value === "string" ? value : { handler: [value.code, value.data] }),
  (input) => {
    const registers = handlerOf(input);
    const wrong = registers?.find((register) => !isRegister(register));
    if (registers?.length === 2 && isWhole(wrong)) return notARegister(wrong, "");
    const all = 'write "default", "ignore" or {"handler": [3, 1]}';
    return `${quote(input)} is not an action; ${remedy(input, actionWords, all)}`;
  },
);

/** `default`, `ignore` or `handler c3, c1`: the code, and the data that it is given. */
const textAction = parsed(
  "action",
  isAction,
  (input) => {
    if (isActionWord(input)) return input;
    const [, first, second] = /^handler\s+(\S+)\s*,\s*(\S+)$/.exec(String(input)) ?? [];
    const [code, data] = [first, second].map(parseRegister);
    return code === undefined || data === undefined ? undefined : { code, data };
  },
  (value) => (typeof value === "string" ? value : `handler c${value.code}, c${value.data}`),
  (input) => {
    const registers = String(input)
      .split(/[\s,]+/)
      .slice(1);
    const wrong = registers.find((word) => registerNumber(word) !== undefined && parseRegister(word) === undefined);
    if (wrong !== undefined) return notARegister(wrong, "c");
    const all = "write default, ignore or handler c3, c1";
    return `${shown(input)} is not an action; ${remedy(input, actionWords, all)}`;
  },
);

const isTarget = (value: unknown): value is Target =>
  value === "own-group" ||
  (isObject(value) && Object.keys(value).length === 1 && (isWhole(value["process"]) || isWhole(value["group"])));

/** `P1`, the group `-P1`, the own group `0`; also `1` and `-1` for those who think of kill(2), where 0 is no process. */
const target = parsed(
  "target",
  isTarget,
  (input): Target | undefined => {
    if (input === "0") return "own-group";
    const [, minus, digits] = /^(-?)(P\d+|[1-9]\d*)$/.exec(typeof input === "string" ? input : "") ?? [];
    const number = Number(digits?.replace("P", ""));
    if (!isWhole(number)) return undefined;
    return minus === "-" ? { group: number } : { process: number };
  },
  (value) => (value === "own-group" ? "0" : "group" in value ? `-P${value.group}` : `P${value.process}`),
  (input) => `${quote(input)} is not a target; write P1, for its group -P1, for the own group 0`,
);

export const jsonKernelOperands: OperandFields<KernelKind> = {
  ...words,
  descriptor: field(wholeCodec("descriptor")),
  path: field(path),
  openFlags: field(flags.json),
  action: field(jsonAction),
  signals: field(signals.json),
  target: field(target),
};

export const textKernelOperands: OperandFields<KernelKind> = {
  ...words,
  descriptor: field(textWhole("descriptor")),
  path: field(path),
  openFlags: field(flags.text),
  action: field(textAction),
  signals: field(signals.text),
  target: field(target),
};

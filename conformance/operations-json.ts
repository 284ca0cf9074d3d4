/**
 * The reference of operations, generated from the table in `spec/sfork/operation.ts`: `operations.json` for programs and
 * `docs/operations.md` for people.
 */
import { formats, permissionWords, type FormatName } from "../spec/cheri/index.js";
import type { StrategyName } from "../spec/sfork/config.js";
import { lastSignal, maxDescriptors } from "../spec/sfork/kernel.js";
import { registerCount } from "../spec/sfork/machine.js";
import {
  openFlags,
  splitCalls,
  wordOperands,
  type OperandKind,
  type OperationName,
  type ResultKind,
  type WordOperand,
} from "../spec/sfork/operation.js";
import { isSupported } from "../spec/sfork/step.js";
import { configKeys, formatNames, strategyNames } from "./program/config-codec.js";
import { errorCodes, observationKeys, trapCauses } from "./program/expectation-codec.js";
import { leftOut } from "./program/operands.js";
import { choicesOf, entryOf, operandsOf, operationNames, type NamedOperand } from "./program/operation-codec.js";
import { signatureOf } from "./program/print.js";
import { programVersion } from "./program/program.js";

interface OperationReference {
  readonly op: OperationName;
  /** As a line of a program, with names for operands. */
  readonly text: string;
  readonly operands: readonly NamedOperand[];
  /** Optional operands `name=n`, for what the latitude leaves open. */
  readonly choices: readonly string[];
  readonly result: ResultKind;
  /** The operand that names the register that is written, or that register itself. */
  readonly writes: string | null;
  /** Formats without it observe `unsupported`. */
  readonly formats: readonly FormatName[];
  /** Strategies without it observe `unsupported`, too. */
  readonly strategies: readonly StrategyName[];
  /** Causes of the traps that it can observe. */
  readonly traps: readonly string[];
  /** Errors that it can observe. */
  readonly errors: readonly string[];
  /** It can observe `would-block`. */
  readonly blocks: boolean;
  readonly rule: string;
}

export interface OperationsReference {
  readonly version: typeof programVersion;
  readonly registers: number;
  readonly formats: readonly string[];
  readonly strategies: readonly string[];
  readonly config: readonly string[];
  readonly permissions: readonly string[];
  /** Flags of `open`. */
  readonly flags: readonly string[];
  /** Operands that are one of a few words, by their kind. */
  readonly words: Readonly<Record<WordOperand, readonly string[]>>;
  /** Operations that `call_enter` and `call_finish` split. */
  readonly calls: readonly string[];
  readonly traps: readonly string[];
  readonly errors: readonly string[];
  readonly observations: readonly string[];
  readonly operations: readonly OperationReference[];
}

const referenceOf = (op: OperationName): OperationReference => {
  const operands = operandsOf(op);
  const { result, writes, rule, traps = [], errors = [], blocks = false } = entryOf(op);
  const named = operands.some(({ name }) => name === "cd") ? "cd" : null;
  return {
    op,
    text: `${op} ${signatureOf(op)}`.trim(),
    operands,
    choices: choicesOf(op),
    result,
    writes: writes === undefined ? named : `c${writes}`,
    formats: formatNames.filter((format) => strategyNames.some((name) => isSupported(formats[format], op, name))),
    strategies: strategyNames.filter((name) => formatNames.some((format) => isSupported(formats[format], op, name))),
    traps: trapCauses.filter((cause) => traps.includes(cause)),
    errors,
    blocks,
    rule,
  };
};

/** The table as it is published. */
export const operationsReference = (): OperationsReference => ({
  version: programVersion,
  registers: registerCount,
  formats: formatNames,
  strategies: strategyNames,
  config: configKeys,
  permissions: permissionWords,
  flags: openFlags,
  words: wordOperands,
  calls: splitCalls,
  traps: trapCauses,
  errors: errorCodes,
  observations: observationKeys,
  operations: operationNames.map(referenceOf),
});

const cell = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(", ");

const oneOf = (kind: WordOperand, meaning: string): readonly [text: string, json: string, meaning: string] => {
  const words = wordOperands[kind];
  return [cell(words), cell(words.map((word) => JSON.stringify(word))), meaning];
};

/** How an operand of each kind is written in text and in JSON. */
const kinds: Readonly<Record<OperandKind, readonly [text: string, json: string, meaning: string]>> = {
  register: ["`c8`", "`8`", "a capability register, 0 to 15; `csp` is another name for `c2`"],
  integer: ["`0x40`, `64`, `-8`, `c5`", '`"0x40"`, `64`, `-8`, `"c5"`', "an immediate, or a register's address field"],
  offset: ["`0x20(c1)`", '`"0x20"`, then the register', "an integer added to the address of the register behind it"],
  permissions: ["`load store`, `none`", '`["load", "store"]`', "words; a format ignores those that it lacks"],
  protection: ["`rw`, `none`", '`"rw"`', "letters of `rwx` in this order"],
  ordinal: ["`1`", "`1`", "a channel or shared segment, modulo those made so far"],
  optionalOrdinal: [
    "`1`",
    "`1`",
    `a process, modulo those made so far; may be left out, in text as \`${leftOut}\` before an operand that is not`,
  ],
  descriptor: ["`3`", "`3`", `a descriptor, modulo ${maxDescriptors}`],
  path: ["`a`, `/d/a`, `/`", '`"/d/a"`', "names of lower-case letters, from the root or from the working directory"],
  openFlags: ["`read create`, `none`", '`["read", "create"]`', `words: ${cell(openFlags)}`],
  signals: ["`10 12`, `none`", "`[10, 12]`", `numbers from 1 to ${lastSignal}; others are ignored`],
  action: [
    "`default`, `ignore`, `handler c3, c1`",
    '`"default"`, `"ignore"`, `{ "handler": [3, 1] }`',
    "a handler is its code, and the data that it adds to",
  ],
  target: ["`P1`, `-P1`, `0`", '`"P1"`, `"-P1"`, `"0"`', "a process, the group that it leads, the own group"],
  call: ["`read 3, c1, 16`", '`{ "op": "read", "d": 3, … }`', `an operation of its own: ${cell(splitCalls)}`],
  advice: oneOf("advice", "what a fork does with pages"),
  whence: oneOf("whence", "where an offset counts from: the start, where the next read begins, the end"),
  resource: oneOf("resource", "what is limited: descriptors of the process, processes of the machine"),
  whose: oneOf("whose", "time of the process, or of its children that it waited for"),
  direction: oneOf("direction", "what a device does with the buffer: reads it, or writes it"),
};

const results: Readonly<Record<ResultKind, string>> = {
  capability: "`cap`",
  integer: "`int`",
  none: "`none`",
  bytes: "`bytes`",
  descriptor: "`fd 3`",
  descriptors: "`fds 3 4`",
  set: "`set`",
  child: "`child P1`",
  process: "`process P1`",
};

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

const formatsCell = ({ formats, strategies: known }: OperationReference): string => {
  const missing = strategyNames.filter((name) => !known.includes(name));
  const there = formats.length === formatNames.length ? "all" : cell(formats);
  return missing.length === 0 ? there : `${there}; not on ${cell(missing)}`;
};

const operationRow = (operation: OperationReference): string => {
  const { op, operands, choices, result, writes, errors, blocks, rule } = operation;
  const written = operands.length === 0 ? "" : `\`${signatureOf(op)}\``;
  const chosen = choices.map((choice) => `\`${choice}=\``).join(" ");
  return row([
    `\`${op}\``,
    [written, chosen].filter((part) => part !== "").join(" "),
    writes === null || writes === "cd" ? results[result] : `${results[result]} in \`${writes}\``,
    formatsCell(operation),
    cell(blocks ? [...errors, "would-block"] : errors),
    rule,
  ]);
};

/** Operations that can trap for the same causes share a row. */
const trapRows = (operations: readonly OperationReference[]): readonly string[] => {
  const lists = [...new Set(operations.map(({ traps }) => cell(traps)))].filter((causes) => causes !== "");
  return lists.map((causes) => {
    const names = operations.filter(({ traps }) => cell(traps) === causes).map(({ op }) => op);
    return row([cell(names), causes]);
  });
};

/** The reference as Markdown. */
export const operationsDocument = ({ operations, observations }: OperationsReference): string =>
  [
    "# Operations",
    "",
    "Generated by `npx tsx scripts/operations.ts` from `spec/sfork/operation.ts`; do not edit. `operations.json` says the same",
    "for programs.",
    "",
    "A step is written `actor: operation operands`; the actor is a thread, by its creation ordinal. Register numbers and",
    "ordinals are reduced into range by the machine, so that every list of steps is a program; program files are strict and",
    "refuse registers that do not exist. `cd` is the register that is written. Choices `name=n` stand behind the operands",
    "and may be left out.",
    "",
    "## Operands",
    "",
    row(["Kind", "In text", "In JSON", "Meaning"]),
    row(["---", "---", "---", "---"]),
    ...Object.entries(kinds).map(([kind, [text, json, meaning]]) => row([kind, text, json, meaning])),
    "",
    "## Table",
    "",
    "*Observes* is what a success shows; *Fails with* lists errors, and `would-block`.",
    "`call_finish` observes what its call does. A format or strategy without the operation observes `unsupported`.",
    "Any step can observe `no-actor` or `halted`, and `would-block` where its process is stopped; a choice that is not",
    "allowed observes `bad-choice`; an access to memory, or `munmap`, `out-of-frames` on a machine that overcommits; a load or",
    "copy of bytes of pointers `outside-profile` where the strategy does not promise them.",
    "",
    row(["Operation", "Operands", "Observes", "Formats", "Fails with", "Rule"]),
    row(["---", "---", "---", "---", "---", "---"]),
    ...operations.map(operationRow),
    "",
    "## Traps",
    "",
    "A trap names its cause and the operand that caused it. Operations that stand here trap for these causes, all others never.",
    "",
    row(["Operations", "Causes"]),
    row(["---", "---"]),
    ...trapRows(operations),
    "",
    "## Observations",
    "",
    `${cell(observations)}; beside any of them \`signals\`, where the thread took signals before its step.`,
    "",
  ].join("\n");

/** The operations as the protocol has them, a row each: names of members, and their kinds. */
export const protocolOperations = ({ operations }: OperationsReference): string =>
  [
    row(["`op`", "members", "observes"]),
    row(["---", "---", "---"]),
    ...operations.map(({ op, operands, result }) =>
      row([
        `\`${op}\``,
        operands.length === 0 ? "none" : operands.map(({ name, kind }) => `\`${name}\` ${kind}`).join(", "),
        observedAs[result],
      ]),
    ),
  ].join("\n");

const observedAs: Readonly<Record<ResultKind, string>> = {
  capability: "`cap`",
  integer: "`int`",
  none: "`none`",
  bytes: "`bytes`",
  descriptor: "`fd`",
  descriptors: "`fds`",
  set: "`set`",
  child: "`child`",
  process: "`process`",
};

/**
 * The reference of operations, generated from the table in `spec/sfork/operation.ts`: `operations.json` for programs and
 * `docs/operations.md` for people.
 */
import { permissionWords, type FormatName } from "../spec/cheri/index.js";
import { completeConfig } from "../spec/sfork/config.js";
import { initial, registerCount, type Machine } from "../spec/sfork/machine.js";
import type { OperandKind, OperationName, ResultKind } from "../spec/sfork/operation.js";
import { isSupported } from "../spec/sfork/step.js";
import { bareObservations } from "./canon.js";
import { configKeys, formatNames, strategyNames } from "./program/config-codec.js";
import { errorCodes, trapCauses } from "./program/expectation-codec.js";
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
  /** The operand that names the register that is written. */
  readonly writes: string | null;
  /** Formats without it observe `unsupported`. */
  readonly formats: readonly FormatName[];
  readonly errors: readonly string[];
  readonly rule: string;
}

export interface OperationsReference {
  readonly version: typeof programVersion;
  readonly registers: number;
  readonly formats: readonly string[];
  readonly strategies: readonly string[];
  readonly config: readonly string[];
  readonly permissions: readonly string[];
  readonly traps: readonly string[];
  readonly errors: readonly string[];
  readonly observations: readonly string[];
  readonly operations: readonly OperationReference[];
}

const machines = (): readonly Machine[] =>
  formatNames.flatMap((format) => {
    const config = completeConfig({ format });
    return "illegal" in config ? [] : [initial(config)];
  });

const referenceOf = (op: OperationName, known: readonly Machine[]): OperationReference => {
  const operands = operandsOf(op);
  const { result, rule, errors = [] } = entryOf(op);
  return {
    op,
    text: `${op} ${signatureOf(op)}`.trim(),
    operands,
    choices: choicesOf(op),
    result,
    writes: operands.some(({ name }) => name === "cd") ? "cd" : null,
    formats: known.filter((machine) => isSupported(machine, op)).map((machine) => machine.format.name),
    errors,
    rule,
  };
};

/** The table as it is published. */
export const operationsReference = (): OperationsReference => {
  const known = machines();
  return {
    version: programVersion,
    registers: registerCount,
    formats: formatNames,
    strategies: strategyNames,
    config: configKeys,
    permissions: permissionWords,
    traps: trapCauses,
    errors: errorCodes,
    observations: ["cap", "int", "child", "process", "trap", "error", ...Object.keys(bareObservations)],
    operations: operationNames.map((op) => referenceOf(op, known)),
  };
};

/** How an operand of each kind is written in text and in JSON. */
const kinds: Readonly<Record<OperandKind, readonly [text: string, json: string, meaning: string]>> = {
  register: ["`c8`", "`8`", "a capability register, 0 to 15; `csp` is another name for `c2`"],
  integer: ["`0x40`, `64`, `-8`, `c5`", '`"0x40"`, `64`, `-8`, `"c5"`', "an immediate, or a register's address field"],
  offset: ["`0x20(c1)`", '`"0x20"`, then the register', "an integer added to the address of the register behind it"],
  permissions: ["`load store`, `none`", '`["load", "store"]`', "words; a format ignores those that it lacks"],
  protection: ["`rw`, `none`", '`"rw"`', "letters of `rwx` in this order"],
  ordinal: ["`1`", "`1`", "a channel or shared segment, modulo those made so far"],
  optionalOrdinal: ["`1`", "`1`", "a process, modulo those made so far; may be left out"],
};

const results: Readonly<Record<ResultKind, string>> = {
  capability: "`cap`",
  integer: "`int`",
  none: "`none`",
  child: "`child P1`",
  process: "`process P1`",
};

const cell = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(", ");

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

const formatsCell = (formats: readonly string[]): string =>
  formats.length === formatNames.length ? "all" : cell(formats);

const operationRow = ({ op, operands, choices, result, formats, errors, rule }: OperationReference): string => {
  const written = operands.length === 0 ? "" : `\`${signatureOf(op)}\``;
  const chosen = choices.map((choice) => `\`${choice}=\``).join(" ");
  return row([
    `\`${op}\``,
    [written, chosen].filter((part) => part !== "").join(" "),
    results[result],
    formatsCell(formats),
    cell(errors),
    rule,
  ]);
};

/** The reference as Markdown. */
export const operationsDocument = ({ operations, traps, observations }: OperationsReference): string =>
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
    "A format without the operation observes `unsupported`. Any step can observe `no-actor` or `halted`; a choice that is not",
    "allowed observes `bad-choice`.",
    "",
    row(["Operation", "Operands", "Observes", "Formats", "Errors", "Rule"]),
    row(["---", "---", "---", "---", "---", "---"]),
    ...operations.map(operationRow),
    "",
    "## Observations",
    "",
    `${cell(observations)}.`,
    "",
    "A trap names its cause and the operand that caused it. Causes:",
    `${cell(traps)}.`,
    "",
  ].join("\n");

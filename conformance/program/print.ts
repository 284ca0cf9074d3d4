/** Programs as canonical text. */
import type { Config } from "../../spec/sfork/config.js";
import type { OperandKind, Operation, OperationName } from "../../spec/sfork/operation.js";
import { printObservation } from "../canon.js";
import { configCodec, configKeys } from "./config-codec.js";
import { leftOut } from "./operands.js";
import { choicesOf, isSplitCall, membersOf, operandsOf, textFields } from "./operation-codec.js";
import type { Program, ProgramStep } from "./program.js";
import { recordCodec } from "./strict.js";

/** Operands of these kinds may be several words. */
const lists: readonly OperandKind[] = ["permissions", "openFlags", "signals"];

/** How an operation is written: `cd, n(cs1)`, `cd[, process]`. */
export const signatureOf = (name: OperationName): string =>
  operandsOf(name).reduce((sofar, { name: operand, kind }, index, all) => {
    const separator = sofar === "" ? "" : ", ";
    if (all[index - 1]?.kind === "offset") return `${sofar}(${operand})`;
    if (kind === "optionalOrdinal") return `${sofar}[${separator}${operand}]`;
    return `${sofar}${separator}${operand}${lists.includes(kind) ? "…" : ""}`;
  }, "");

/** An operation as it stands in a line, `csetbounds c8, c1, 0x40`. */
export const printOperation = (operation: Operation): string => {
  const name = operation.op;
  const members = recordCodec(name, textFields(name)).encode(membersOf(operation));
  const word = (key: string): string => {
    const value = members[key];
    if (isSplitCall(value)) return printOperation(value);
    return typeof value === "string" ? value : leftOut;
  };
  // What is left out at the end is not there; before an operand that is there, its place is kept.
  const given = operandsOf(name).slice(0, operandsOf(name).findLastIndex((one) => members[one.name] !== undefined) + 1);
  const operands = given.reduce((sofar, { name: operand }, index, all) => {
    if (all[index - 1]?.kind === "offset") return `${sofar}(${word(operand)})`;
    return sofar === "" ? word(operand) : `${sofar}, ${word(operand)}`;
  }, "");
  const choices = choicesOf(name).flatMap((choice) =>
    members[choice] === undefined ? [] : [`${choice}=${word(choice)}`],
  );
  return [name, operands, ...choices].filter((part) => part !== "").join(" ");
};

/** A step without its expectation, `0: csetbounds c8, c1, 0x40`. */
const printStep = ({ actor, operation }: ProgramStep): string => `${actor}: ${printOperation(operation)}`;

const printConfig = (config: Partial<Config>): readonly string[] => {
  const members = configCodec.encode(config);
  const given = configKeys.filter((key) => members[key] !== undefined);
  return given.length === 0 ? [] : [`config ${given.map((key) => `${key}=${String(members[key])}`).join(" ")}`];
};

/** A program as text: reading it gives the program again, and printing that the same text. */
export const printTextProgram = ({ version, config, steps }: Program): string =>
  [
    `sfork ${version}`,
    ...printConfig(config),
    ...steps.flatMap((step) => [
      printStep(step),
      ...(step.expect === undefined ? [] : [`expect ${printObservation(step.expect)}`]),
    ]),
    "",
  ].join("\n");

/** The same with comments behind the header, which stays the first line, so that a file says at once what it is. */
export const printCommented = (program: Program, comments: readonly string[]): string => {
  const text = printTextProgram(program);
  const end = text.indexOf("\n") + 1;
  return text.slice(0, end) + comments.map((line) => `# ${line}\n`).join("") + text.slice(end);
};

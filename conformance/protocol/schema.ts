/**
 * The protocol as a JSON Schema, for other languages' tools: from the tables that the codecs are made from. What a schema cannot
 * say (which configurations are legal, which answer is right) is left to them.
 */
import { permissionWords } from "../../spec/cheri/index.js";
import { lastSignal, maxDescriptors } from "../../spec/sfork/kernel.js";
import { registerCount } from "../../spec/sfork/machine.js";
import {
  openFlags,
  splitCalls,
  wordOperands,
  type OperandKind,
  type OperationName,
} from "../../spec/sfork/operation.js";
import { bareObservations } from "../canon.js";
import { configKeys, formatNames, strategyNames } from "../program/config-codec.js";
import { errorCodes, trapCauses } from "../program/expectation-codec.js";
import { entryOf, operandsOf, operationNames } from "../program/operation-codec.js";
import { childChoices } from "./answers.js";
import { choiceNames, refusalCodes } from "./messages.js";
import { registerNames } from "./seen.js";
import { protocolVersion } from "./version.js";

type Schema = Readonly<Record<string, unknown>>;

const whole: Schema = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const text: Schema = { type: "string" };
const oneOf = (words: readonly string[]): Schema => ({ enum: words });
const listOf = (items: Schema): Schema => ({ type: "array", items });
const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });

/** All members are required but those that are named; others are refused, or, in answers, passed over. */
const object = (
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
  open = false,
): Schema => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
  ...(open ? {} : { additionalProperties: false }),
});

const register: Schema = { type: "integer", minimum: 0, maximum: registerCount - 1 };

const integer: Schema = {
  anyOf: [
    { type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
    { type: "string", pattern: "^-?(0[xX][0-9a-fA-F]+|[0-9]+)$" },
    { enum: [...registerNames.filter((name) => name !== "pcc"), "csp"] },
  ],
};

const operandSchemas: Readonly<Record<OperandKind, Schema>> = {
  register,
  integer: ref("integer"),
  offset: ref("integer"),
  permissions: listOf(oneOf(permissionWords)),
  protection: { type: "string", pattern: "^(none|(?=.)r?w?x?)$" },
  ordinal: whole,
  optionalOrdinal: whole,
  descriptor: { type: "integer", minimum: 0, maximum: maxDescriptors - 1 },
  path: { type: "string", pattern: "^(/|/?[a-z]+(/[a-z]+)*)$" },
  openFlags: listOf(oneOf(openFlags)),
  signals: listOf(whole),
  action: {
    anyOf: [
      oneOf(["default", "ignore"]),
      object({ handler: { type: "array", items: register, minItems: 2, maxItems: 2 } }),
    ],
  },
  target: { type: "string", pattern: "^(0|-?P[0-9]+)$" },
  call: ref("call"),
  advice: oneOf(wordOperands.advice),
  whence: oneOf(wordOperands.whence),
  resource: oneOf(wordOperands.resource),
  whose: oneOf(wordOperands.whose),
  direction: oneOf(wordOperands.direction),
};

const operandsSchema = (op: OperationName, more: Readonly<Record<string, Schema>>): Schema => {
  const operands = operandsOf(op);
  const optional = operands.filter(({ kind }) => kind === "optionalOrdinal").map(({ name }) => name);
  const named = Object.fromEntries(operands.map(({ name, kind }) => [name, operandSchemas[kind]]));
  return object({ ...more, op: { const: op }, ...named }, optional);
};

const call: Schema = { anyOf: splitCalls.map((op) => operandsSchema(op, {})) };

const stepSchema = (op: OperationName): Schema => ({
  ...operandsSchema(op, { process: whole, thread: whole }),
  description: entryOf(op).rule,
});

const number: Schema = {
  type: "string",
  pattern: "^(0[xX][0-9a-fA-F]+|[0-9]+|([PS][0-9]+|K)[+-](0[xX][0-9a-fA-F]+|[0-9]+)(,dead)?)$",
};

const capability: Schema = object({
  tag: { type: "boolean" },
  ...{ address: number, base: number, top: number },
  permissions: listOf(oneOf(permissionWords)),
  otype: { anyOf: [oneOf(["unsealed", "sentry"]), ref("plainNumber")] },
  flags: ref("plainNumber"),
});

const signal: Schema = { type: "integer", minimum: 1, maximum: lastSignal };

const observation = (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema =>
  object({ ...properties, signals: listOf(signal) }, [...optional, "signals"]);

const status: Schema = {
  anyOf: [object({ exited: { type: "integer", minimum: 0, maximum: 255 } }), object({ signalled: signal })],
};

const observations: Schema = {
  anyOf: [
    observation({ cap: ref("capability") }),
    observation({ int: ref("plainNumber") }),
    observation({ bytes: { type: "string", pattern: "^([0-9a-fA-F]{2})*$" } }),
    observation({ fd: whole }),
    observation({ fds: { type: "array", items: whole, minItems: 2, maxItems: 2 } }),
    observation({ set: listOf({ anyOf: [whole, oneOf([...openFlags, "default", "ignore", "handler"])] }) }),
    observation({ child: whole, ...Object.fromEntries(childChoices.map((name) => [name, whole])) }, childChoices),
    observation({ process: whole, status }),
    observation({
      trap: object({ cause: oneOf(trapCauses), operand: { type: "string", pattern: "^[a-z][a-z0-9]*$" } }),
    }),
    observation({ error: oneOf(errorCodes) }),
    ...Object.keys(bareObservations).map((key) => observation({ [key]: { const: true } })),
  ],
};

/** Numbers of a configuration that may pass 2^53, and words. */
const configSchemas: Readonly<Record<string, Schema>> = {
  format: oneOf(formatNames),
  strategy: oneOf(strategyNames),
  commit: oneOf(["reserve", "overcommit"]),
  reuse: oneOf(["revoke", "never"]),
  stride: ref("plainNumber"),
  base: ref("plainNumber"),
};

const config: Schema = object(Object.fromEntries(configKeys.map((key) => [key, configSchemas[key] ?? whole])));

const version: Schema = { const: protocolVersion };

const limits: Schema = object({ page: listOf(whole), pages: whole, processes: whole }, ["page", "pages", "processes"]);

const view: Schema = object({
  granules: listOf(object({ process: whole, address: number, cap: ref("capability") })),
  registers: listOf(object({ process: whole, thread: whole, register: oneOf(registerNames), cap: ref("capability") })),
});

const region: Schema = {
  anyOf: [
    object({ process: whole, base: ref("plainNumber") }),
    object({ segment: whole, base: ref("plainNumber") }),
    object({ kernel: { const: true }, base: ref("plainNumber") }),
  ],
};

/** One schema, whose `$defs` are the messages and their parts. */
export const protocolSchema = (): Schema => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: `The line protocol of SFork, version ${protocolVersion}`,
  $comment: "Generated by npx tsx scripts/operations.ts; docs/protocol.md says what it means.",
  anyOf: ["ask", "hello", "run", "result", "error"].map(ref),
  $defs: {
    ask: object({ type: { const: "hello" }, protocol: version }),
    hello: object(
      {
        type: { const: "hello" },
        protocol: version,
        name: { type: "string", minLength: 1, maxLength: 200 },
        formats: listOf(oneOf(formatNames)),
        strategies: listOf(oneOf(strategyNames)),
        operations: listOf(oneOf(operationNames)),
        limits,
        choices: listOf(oneOf(choiceNames)),
        addresses: oneOf(["configured", "own"]),
      },
      ["limits", "choices", "addresses"],
      true,
    ),
    run: object({ type: { const: "run" }, id: whole, config, view: { type: "boolean" }, steps: listOf(ref("step")) }, [
      "view",
    ]),
    result: object(
      {
        type: { const: "result" },
        id: whole,
        observations: listOf(ref("observation")),
        view,
        counters: { type: "object", additionalProperties: { type: "number" } },
        regions: listOf(region),
      },
      ["view", "counters", "regions"],
      true,
    ),
    error: object({ type: { const: "error" }, line: whole, id: whole, code: oneOf(refusalCodes), message: text }, [
      "id",
    ]),
    step: { anyOf: operationNames.map(stepSchema) },
    call,
    observation: observations,
    capability,
    integer,
    plainNumber: { type: "string", pattern: "^(0[xX][0-9a-fA-F]+|[0-9]+)$" },
  },
});

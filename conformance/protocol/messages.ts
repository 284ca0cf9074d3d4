/**
 * The messages of the line protocol (docs/protocol.md): what is asked of an implementation in another process, and what it
 * answers. Each is a JSON object on a line of its own.
 */
import { isLeft, map } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import type { FormatName } from "../../spec/cheri/index.js";
import type { Config, StrategyName } from "../../spec/sfork/config.js";
import { registerCount } from "../../spec/sfork/machine.js";
import type { OperationName } from "../../spec/sfork/operation.js";
import type { CanonicalCapability } from "../canon.js";
import { quote } from "../errors.js";
import { configCodec, formatNames, strategyNames } from "../program/config-codec.js";
import * as values from "../program/observation-values.js";
import { isOperationName, jsonFields, membersOf, notAnOperation, operationFrom } from "../program/operation-codec.js";
import {
  decode,
  field,
  guarded,
  isObject,
  listCodec,
  recordCodec,
  wholeCodec,
  wordCodec,
  type Fields,
  type Members,
} from "../program/strict.js";
import { answerCodec, capabilityCodec, type Answered } from "./answers.js";
import type { ResolvedStep } from "./resolve.js";
import { protocolVersion } from "./version.js";

/** Choices of the latitude that an implementation may make otherwise than the specification does by itself. */
export const choiceNames = ["slot", "pid", "reap"] as const;

/** Largest of what an implementation has; what is left out has no limit. */
interface DeclaredLimits {
  /** Sizes of pages, in bytes. */
  readonly page?: readonly number[];
  /** Pages of a region. */
  readonly pages?: number;
  /** Live processes and zombies. */
  readonly processes?: number;
}

/** What an implementation is, and has: it is sent nothing else. */
export interface Hello {
  readonly type: "hello";
  readonly protocol: typeof protocolVersion;
  readonly name: string;
  readonly formats: readonly FormatName[];
  readonly strategies: readonly StrategyName[];
  readonly operations: readonly OperationName[];
  readonly limits?: DeclaredLimits;
  readonly choices?: readonly (typeof choiceNames)[number][];
  /** `configured`: regions lie where the configuration says; `own`, by default: elsewhere, or it does not know. */
  readonly addresses?: "configured" | "own";
}

/** A program to run from the start of a machine on. */
export interface Run {
  readonly type: "run";
  readonly id: number;
  readonly config: Config;
  readonly steps: readonly ResolvedStep[];
  /** What there is to be seen after the last step is asked for, too. */
  readonly view: boolean;
}

/** A tagged granule of a live process. */
export interface SeenGranule {
  readonly process: number;
  /** `P1+0x40`, in its region. */
  readonly address: string;
  readonly cap: CanonicalCapability;
}

/** A tagged register of a live thread. */
export interface SeenRegister {
  readonly process: number;
  readonly thread: number;
  /** `c0` to `c15`, `pcc`. */
  readonly register: string;
  readonly cap: CanonicalCapability;
}

/** Every tagged capability that a process can come by without asking somebody else, after the last step. */
export interface SeenView {
  readonly granules: readonly SeenGranule[];
  readonly registers: readonly SeenRegister[];
}

/** Where something lies: a process's region, a shared segment, or the kernel. */
export type SeenRegion = { readonly base: string } & (
  { readonly process: number } | { readonly segment: number } | { readonly kernel: true }
);

export interface Result {
  readonly type: "result";
  readonly id: number;
  readonly observations: readonly Answered[];
  readonly view?: SeenView;
  readonly counters?: Readonly<Record<string, number>>;
  readonly regions?: readonly SeenRegion[];
}

/** Why a line could not be answered. */
export interface Refusal {
  readonly type: "error";
  /** The line that was read, from 1. */
  readonly line: number;
  readonly id?: number;
  readonly code: (typeof refusalCodes)[number];
  readonly message: string;
}

/** No JSON; no message; a message with a mistake in it; another version; a line that is too long; more than can be done. */
export const refusalCodes = ["json", "message", "program", "protocol", "too-long", "limit"] as const;

const nameCodec = guarded(
  "name",
  (value): value is string => typeof value === "string" && value.length > 0 && value.length <= 200,
  (input) => `${quote(input)} is not a name; write a text of up to 200 characters`,
);

const idCodec = wholeCodec("id");

const flagCodec = guarded(
  "view",
  (value): value is boolean => typeof value === "boolean",
  (input) => `${quote(input)} is not true or false`,
);

const typeCodec = <Type extends string>(type: Type): t.Type<Type> => wordCodec("type", [type]);

const versionCodec = guarded(
  "protocol",
  (value): value is 1 => value === protocolVersion,
  (input) => `${quote(input)} is not a version of the protocol that is known here; it is ${protocolVersion}`,
);

const limitsCodec = recordCodec("limits", {
  page: field(listCodec("a list of page sizes", wholeCodec("page size", 1)), true),
  pages: field(wholeCodec("number of pages", 1), true),
  processes: field(wholeCodec("number of processes", 1), true),
});

const operationCodec = guarded("operation", isOperationName, notAnOperation);

const helloFields: Fields = {
  type: field(typeCodec("hello")),
  protocol: field(versionCodec),
  name: field(nameCodec),
  formats: field(listCodec("a list of formats", wordCodec("format", formatNames))),
  strategies: field(listCodec("a list of strategies", wordCodec("strategy", strategyNames, "strategies"))),
  operations: field(listCodec("a list of operations", operationCodec)),
  limits: field(limitsCodec, true),
  choices: field(listCodec("a list of choices", wordCodec("choice", choiceNames)), true),
  addresses: field(wordCodec("kind of addresses", ["configured", "own"], "kinds of addresses"), true),
};

const registerCodec = guarded(
  "register",
  (value): value is string =>
    typeof value === "string" &&
    (value === "pcc" || Array.from({ length: registerCount }, (_, index) => `c${index}`).includes(value)),
  (input) => `${quote(input)} is not a register; write c0 to c${registerCount - 1}, or pcc`,
);

const process = field(wholeCodec("process"));

const granuleFields = { process, address: field(values.number), cap: field(capabilityCodec) };
const registerFields = {
  process,
  thread: field(wholeCodec("thread")),
  register: field(registerCodec),
  cap: field(capabilityCodec),
};

const viewCodec = recordCodec("a view", {
  granules: field(listCodec("a list of granules", recordCodec("a granule", granuleFields))),
  registers: field(listCodec("a list of registers", recordCodec("a register", registerFields))),
});

const regionCodec = recordCodec("a region", {
  process: field(wholeCodec("process"), true),
  segment: field(wholeCodec("segment"), true),
  kernel: field(values.present, true),
  base: field(values.plainNumber),
});

const isCounts = (value: unknown): value is Readonly<Record<string, number>> =>
  isObject(value) && Object.values(value).every((one) => typeof one === "number");

const countersCodec = guarded(
  "counters",
  isCounts,
  (input) => `${quote(input)} are no counters; write names and numbers`,
);

/** What may stand beside the observations. */
const extraFields: Fields = {
  view: field(viewCodec, true),
  counters: field(countersCodec, true),
  regions: field(listCodec("a list of regions", regionCodec), true),
};

const resultFields: Fields = {
  type: field(typeCodec("result")),
  id: field(idCodec),
  observations: field(listCodec("a list of observations", answerCodec)),
  ...extraFields,
};

/** Keys that nobody here knows are passed over in answers: a later version may have more to say. */
const knownOnly = (fields: Fields, input: unknown): unknown =>
  isObject(input) ? Object.fromEntries(Object.entries(input).filter(([key]) => Object.hasOwn(fields, key))) : input;

/** What was asked for, or what is wrong and where. */
export const decodeHello = (input: unknown) =>
  pipe(
    decode(recordCodec("hello", helloFields), knownOnly(helloFields, input)),
    map((hello) => hello as unknown as Hello),
  );

export const decodeResult = (input: unknown) =>
  pipe(
    decode(recordCodec("a result", resultFields), knownOnly(resultFields, input)),
    map((result) => result as unknown as Result),
  );

/** The same of a result whose observations are looked into one by one. */
export const decodeExtras = (input: unknown) =>
  pipe(
    decode(recordCodec("a result", extraFields), knownOnly(extraFields, input)),
    map((extras) => extras as Pick<Result, "view" | "counters" | "regions">),
  );

const actorFields: Fields = {
  process: field(wholeCodec("process"), true),
  thread: field(wholeCodec("thread"), true),
  actor: field(wholeCodec("thread"), true),
};

/** A step that somebody asks the specification to take: as it is sent, or as programs have it. */
export interface AskedStep extends Omit<ResolvedStep, "process"> {
  readonly process: number | undefined;
}

const isAsked = (value: unknown): value is AskedStep => isObject(value) && "operation" in value;

const askedCodec = new t.Type<AskedStep, Members>(
  "step",
  isAsked,
  (input, context) => {
    if (!isObject(input)) return t.failure(input, context, `${quote(input)} is not a step; write an object`);
    const named = operationCodec.validate(input["op"], t.appendContext(context, "op", operationCodec, input["op"]));
    if (isLeft(named)) return named;
    const op = named.right;
    const record = recordCodec(`a ${op} step`, {
      ...{ ...actorFields, op: field(operationCodec) },
      ...jsonFields(op),
      // What its author expects is no part of a step, and is let pass.
      expect: field(t.unknown, true),
    });
    const members = record.validate(input, context);
    if (isLeft(members)) return members;
    const { process: owner, thread = members.right["actor"] } = members.right;
    if (typeof thread !== "number") return t.failure(input, context, "the step has no thread; say who takes it");
    return t.success({
      process: typeof owner === "number" ? owner : undefined,
      thread,
      operation: operationFrom(op, members.right),
    });
  },
  (value) => ({ ...value }),
);

/** What the specification is asked to run, as a server: the configuration may be given in part. */
export interface Asked {
  readonly id?: number;
  /** What there is to be seen after the last step is asked for, too. */
  readonly view?: boolean;
  readonly config?: Partial<Config>;
  readonly steps: readonly AskedStep[];
}

const askedFields: Fields = {
  type: field(typeCodec("run"), true),
  version: field(
    guarded(
      "version",
      (value): value is 1 => value === 1,
      (input) => `${quote(input)} is not version 1`,
    ),
    true,
  ),
  id: field(idCodec, true),
  view: field(flagCodec, true),
  config: field(configCodec, true),
  steps: field(listCodec("a list of steps", askedCodec)),
};

export const decodeAsked = (input: unknown) =>
  pipe(
    decode(recordCodec("a run", askedFields), input),
    map((asked) => asked as unknown as Asked),
  );

const stepCodecs = new Map<OperationName, t.Type<Members>>();

const stepCodecOf = (op: OperationName): t.Type<Members> => {
  const known = stepCodecs.get(op) ?? recordCodec(op, jsonFields(op));
  stepCodecs.set(op, known);
  return known;
};

const encodeStep = ({ process: owner, thread, operation }: ResolvedStep): Members => ({
  process: owner,
  thread,
  op: operation.op,
  ...stepCodecOf(operation.op).encode(membersOf(operation)),
});

const encodeConfig = (config: Config): Members => configCodec.encode(config);

/** A request as a line, without its end. */
export const runLine = ({ id, config, steps, view }: Run): string =>
  JSON.stringify({
    ...{ type: "run", id, config: encodeConfig(config) },
    ...(view ? { view } : {}),
    steps: steps.map(encodeStep),
  });

export const helloLine = JSON.stringify({ type: "hello", protocol: protocolVersion });

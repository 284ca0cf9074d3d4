/** The specification as a server: lines in, lines out. It answers as an implementation in another process would. */
import { isLeft } from "fp-ts/lib/Either.js";
import { completeConfig, regionSize, type Config } from "../../spec/sfork/config.js";
import { initial } from "../../spec/sfork/machine.js";
import { step as takeStep } from "../../spec/sfork/step.js";
import { canonical, type CanonicalObservation } from "../canon.js";
import { plainLine, shorten } from "../errors.js";
import { formatNames, strategyNames } from "../program/config-codec.js";
import { operationNames } from "../program/operation-codec.js";
import { isObject, printProblem } from "../program/strict.js";
import { largestRegion } from "../program/trace.js";
import { decodeAsked, type Asked, type Hello, type Refusal } from "./messages.js";
import { seenView } from "./seen.js";
import { protocolVersion } from "./version.js";

/** What the specification is, and has. */
export const oracleHello: Hello = {
  type: "hello",
  protocol: protocolVersion,
  name: "sfork oracle",
  formats: formatNames,
  strategies: strategyNames,
  operations: operationNames,
  addresses: "configured",
};

/** An answer, without the end of its line. */
export interface Reply {
  readonly text: string;
  /** Nothing more will be understood: another version was asked for. */
  readonly last: boolean;
}

const reply = (message: object, last = false): Reply => ({ text: JSON.stringify(message), last });

/** An answer to a line, by its number from 1, that asks for nothing that can be done. */
export const refusal = (line: number, code: Refusal["code"], message: string, id?: number): Reply =>
  reply(
    { type: "error", line, ...(id === undefined ? {} : { id }), code, message: shorten(plainLine(message), 300) },
    code === "protocol",
  );

const parse = (text: string): { readonly json: unknown } | undefined => {
  try {
    const json: unknown = JSON.parse(text);
    return { json };
  } catch {
    return undefined;
  }
};

const run = (config: Config, { steps, id, view }: Asked): Reply => {
  let machine = initial(config);
  const observations: CanonicalObservation[] = [];
  for (const { thread, operation } of steps) {
    const taken = takeStep(machine, { actor: thread, operation });
    observations.push(canonical(taken.observation, taken.machine, taken.process, taken.signals));
    machine = taken.machine;
  }
  const named = id === undefined ? {} : { id };
  const seen = view === true ? { view: seenView(machine) } : {};
  return reply({ type: "result", ...named, observations, ...seen });
};

const idOf = (json: Readonly<Record<string, unknown>>): number | undefined =>
  Number.isSafeInteger(json["id"]) ? (json["id"] as number) : undefined;

const asked = (line: number, json: Readonly<Record<string, unknown>>): Reply => {
  const id = idOf(json);
  const decoded = decodeAsked(json);
  if (isLeft(decoded)) return refusal(line, "program", printProblem(decoded.left), id);
  const config = completeConfig(decoded.right.config ?? {});
  if ("illegal" in config) {
    return refusal(line, "program", `config: it is illegal, CFG-1 demands: ${config.illegal}`, id);
  }
  if (regionSize(config) > largestRegion) {
    return refusal(line, "limit", "config: a region is larger than 64 MiB; lower page or pages", id);
  }
  return run(config, decoded.right);
};

/** Answer a line. Never throws. `line` is its number, from 1. */
export const answerLine = (line: number, text: string): Reply => {
  const parsed = parse(text);
  if (parsed === undefined) return refusal(line, "json", "this is not JSON; write an object on a line of its own");
  const { json } = parsed;
  if (!isObject(json)) return refusal(line, "message", "this is no message; write an object");
  const { type, protocol } = json;
  if (type === "hello") {
    if (protocol === protocolVersion) return reply(oracleHello);
    if (typeof protocol !== "number") return refusal(line, "message", "the hello does not say which protocol; write 1");
    return refusal(line, "protocol", `this is version ${protocolVersion} of the protocol; ask for that`);
  }
  if (type !== undefined && type !== "run") {
    return refusal(line, "message", 'the type is not known; it is "hello" or "run"', idOf(json));
  }
  try {
    return asked(line, json);
  } catch (error) {
    // A value that is nested deeper than the stack is high.
    if (error instanceof RangeError) return refusal(line, "limit", "the message is nested too deeply", idOf(json));
    throw error;
  }
};

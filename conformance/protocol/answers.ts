/**
 * What an implementation in another process says of a step, and of what there is to be seen in the end: observations and
 * capabilities in canonical form, complete. Numbers may be absolute where it says where regions lie.
 */
import { isLeft } from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import type { CanonicalCapability, CanonicalObservation } from "../canon.js";
import { expectationCodec } from "../program/expectation-codec.js";
import { isObject, wholeCodec, type Members } from "../program/strict.js";

/** An observation, and of a child what was chosen for it, if that is told. */
export type Answered = CanonicalObservation & { readonly pid?: number; readonly slot?: number };

const capabilityKeys = ["tag", "address", "base", "top", "permissions", "otype", "flags"] as const;

/** The choices that may stand beside `child`. */
export const childChoices = ["pid", "slot"] as const;

/** The first thing that an observation, of which parts may be left out in a program, has to have here. */
const missingIn = (value: Members): string | undefined => {
  if (isObject(value["cap"])) {
    const cap = value["cap"];
    return capabilityKeys.find((key) => cap[key] === undefined);
  }
  if (isObject(value["trap"]) && value["trap"]["operand"] === undefined) return "operand";
  return value["process"] !== undefined && value["status"] === undefined ? "status" : undefined;
};

const choiceCodec = wholeCodec("choice");

const withoutChoices = (input: Members): readonly [rest: Members, choices: Members] => {
  if (input["child"] === undefined) return [input, {}];
  const isChoice = ([key]: readonly [string, unknown]): boolean => childChoices.some((choice) => choice === key);
  const entries = Object.entries(input);
  return [Object.fromEntries(entries.filter((one) => !isChoice(one))), Object.fromEntries(entries.filter(isChoice))];
};

const isAnswered = (value: unknown): value is Answered => {
  if (!isObject(value)) return false;
  const [rest, choices] = withoutChoices(value);
  return (
    expectationCodec.is(rest) && missingIn({ ...rest }) === undefined && Object.values(choices).every(choiceCodec.is)
  );
};

export const answerCodec: t.Type<Answered, Members> = new t.Type<Answered, Members>(
  "observation",
  isAnswered,
  (input, context) => {
    if (!isObject(input)) return expectationCodec.validate(input, context) as t.Validation<never>;
    const [rest, choices] = withoutChoices(input);
    const decoded = expectationCodec.validate(rest, context);
    if (isLeft(decoded)) return decoded;
    const missing = missingIn({ ...decoded.right });
    if (missing !== undefined) return t.failure(input, context, `the observation has no ${missing}; give all of it`);
    const wrong = Object.entries(choices).find(([, value]) => !choiceCodec.is(value));
    if (wrong !== undefined) return t.failure(wrong[1], context, `${wrong[0]} is no whole number`);
    const whole: unknown = { ...decoded.right, ...choices };
    return isAnswered(whole) ? t.success(whole) : t.failure(input, context);
  },
  (value) => ({ ...value }),
);

const isCapability = (value: unknown): value is CanonicalCapability => isAnswered({ cap: value });

export const capabilityCodec: t.Type<CanonicalCapability, unknown> = new t.Type<CanonicalCapability, unknown>(
  "capability",
  isCapability,
  (input, context) => {
    const decoded = answerCodec.validate({ cap: input }, context);
    if (isLeft(decoded)) return decoded;
    return "cap" in decoded.right ? t.success(decoded.right.cap) : t.failure(input, context);
  },
  (value) => value,
);

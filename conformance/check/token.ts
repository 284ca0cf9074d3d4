/**
 * Replay tokens: a line that says which program a finding came from, on any machine. A seed is a promise of one version of
 * the generator: a token of another version is refused, and the program file that was saved with it taken instead.
 */
import { chain, left, right, type Either } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { z } from "zod";
import { InputError } from "../errors.js";
import { generatorVersion } from "../generate/generate.js";
import { formatNames, strategyNames } from "../program/config-codec.js";
import {
  checked,
  isDefective,
  strategiesFor,
  type AnySettings,
  type CampaignSettings,
  type Subject,
} from "./campaign.js";
import { externalName, fingerprint, isExternal, type External } from "./external.js";

/** Which program of which campaign. */
export interface Replay {
  readonly settings: CampaignSettings;
  readonly index: number;
}

/** In the place of the name of what is checked, where that is an implementation of one's own. */
export const own = "own";

/** The same of one in another process, which a command starts. */
export const exec = "exec";

type Name = (typeof checked)[number] | typeof own | typeof exec;

/** The name in tokens of what is checked. */
export const nameOf = (impl: Subject): Name => {
  if (typeof impl === "function" || isDefective(impl)) return own;
  return isExternal(impl) ? exec : impl;
};

/** The name in messages, and as it is typed behind `--impl`. */
export const labelOf = (impl: Subject): string => {
  if (isDefective(impl)) return `defect ${impl.defect}`;
  return isExternal(impl) ? externalName(impl) : nameOf(impl);
};

/** The same for any implementation: which one it was is left to who replays it. */
export interface ReplayOnAny {
  readonly impl: Name;
  /** Of one in another process: of what it declared. */
  readonly declared: string | undefined;
  readonly settings: Omit<CampaignSettings, "impl">;
  readonly index: number;
}

const prefix = "sf1:";

const profiles = ["oblivious", "raw-bytes", "full", "posix", "mixed"] as const;

/** Names as bits, by their places in the list of all. */
const bitsOf = (names: readonly string[], all: readonly string[]): number =>
  names.reduce((bits, name) => bits | (1 << all.indexOf(name)), 0);

const namesOf = <Name extends string>(bits: number, all: readonly Name[]): readonly Name[] =>
  all.filter((_, place) => ((bits >> place) & 1) === 1);

const some = (all: readonly string[]) =>
  z
    .number()
    .int()
    .min(1)
    .max(2 ** all.length - 1);

const whole = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Generator, implementation, formats, strategies, profile, steps, seed, index; of `exec` what was declared. */
const schema = z
  .tuple([
    whole,
    z.enum([...checked, own, exec]),
    some(formatNames),
    some(strategyNames),
    z.enum(profiles),
    whole.min(1),
    z.string().min(1).max(64),
    whole,
  ])
  .rest(z.string().length(8));

export const printToken = ({ settings, index }: { readonly settings: AnySettings; readonly index: number }): string => {
  const { impl, formats, strategies, profile, steps, seed } = settings;
  const parts: z.infer<typeof schema> = [
    generatorVersion,
    nameOf(impl),
    bitsOf(formats, formatNames),
    bitsOf(strategies, strategyNames),
    profile,
    steps,
    seed,
    index,
    ...(isExternal(impl) ? [fingerprint(impl)] : []),
  ];
  return prefix + Buffer.from(JSON.stringify(parts)).toString("base64url");
};

/** Whether it can be read or not: what looks like one is no name of a file. Blanks around it came with a copy. */
export const isToken = (text: string): boolean => /^\s*sf\d+:/.test(text);

const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const bodyOf = (token: string): unknown => json(Buffer.from(token.slice(prefix.length), "base64url").toString("utf8"));

/** The implementation that a token names, whichever version of this made it; undefined for what is no token. */
export const implementationOf = (token: string): string | undefined =>
  z.tuple([whole, z.string()]).rest(z.unknown()).safeParse(bodyOf(token)).data?.[1];

const refuse = (message: string): Either<InputError, never> => left(new InputError("token", undefined, message));

const damaged = "is damaged; copy all of it, or take the program file that was saved with it";

/** Which program a token means, whatever it was run on; a line that says what is wrong with it, and how to mend it. */
export const parseAnyToken = (given: string): Either<InputError, ReplayOnAny> => {
  const text = given.trim();
  if (isToken(text) && !text.startsWith(prefix)) {
    const version = text.slice(0, text.indexOf(":"));
    return refuse(`is of another version, ${version}; this reads ${prefix} tokens: take the program file instead`);
  }
  if (!text.startsWith(prefix) || !/^[\w-]+$/.test(text.slice(prefix.length))) {
    return refuse(`is none; copy all of it, from ${prefix} on, or name a program file`);
  }
  const value = bodyOf(text);
  // The version comes first, so that a token of any other can say so.
  const version = z.tuple([whole]).rest(z.unknown()).safeParse(value);
  if (!version.success) return refuse(damaged);
  if (version.data[0] !== generatorVersion) {
    return refuse(
      `was made by generator ${version.data[0]}, this is ${generatorVersion}; take the program file that was saved with it`,
    );
  }
  const parts = schema.safeParse(value);
  if (!parts.success) return refuse(damaged);
  const [, impl, formats, strategies, profile, steps, seed, index, declared] = parts.data;
  const settings = {
    ...{ profile, steps, seed },
    formats: namesOf(formats, formatNames),
    strategies: namesOf(strategies, strategyNames),
  };
  const known: readonly string[] = impl === own || impl === exec ? strategyNames : strategiesFor(impl);
  if (!settings.strategies.every((name) => known.includes(name))) return refuse(damaged);
  if ((impl === exec) !== (declared !== undefined)) return refuse(damaged);
  return right({ impl, settings, index, declared });
};

/** What a token says, where what was checked has a name. */
export const parseToken = (text: string): Either<InputError, Replay> =>
  pipe(
    parseAnyToken(text),
    chain(({ impl, settings, index }) => {
      if (impl === own) {
        return refuse("is of an implementation that has no name here; give it to replay of sfork/conformance");
      }
      if (impl === exec) {
        return refuse('is of an implementation in another process; name what starts it: --impl exec:"COMMAND"');
      }
      return right({ settings: { ...settings, impl }, index });
    }),
  );

/** What a token says that was made for an implementation in another process, which now declares the same. */
export const parseExternalToken = (text: string, external: External): Either<InputError, Replay> =>
  pipe(
    parseAnyToken(text),
    chain(({ impl, settings, index, declared }) => {
      if (impl !== exec) {
        return refuse(`says itself that ${impl} is checked; leave --impl out, or take the program file instead`);
      }
      if (declared !== fingerprint(external)) {
        return refuse(
          "was made when the implementation declared something else, and so means another program; take the program file",
        );
      }
      return right({ settings: { ...settings, impl: external }, index });
    }),
  );

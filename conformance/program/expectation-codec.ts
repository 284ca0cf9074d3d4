/** Expectations in program files: an observation in canonical form, whole or in part. */
import { isDeepStrictEqual } from "node:util";
import { isLeft } from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import type { TrapCause } from "../../spec/cheri/index.js";
import type { ErrorCode, ExitStatus } from "../../spec/sfork/observation.js";
import { bareObservations, type CanonicalObservation, type Expectation } from "../canon.js";
import { quote } from "../errors.js";
import * as values from "./observation-values.js";
import { jsonOperands } from "./operands.js";
import {
  field,
  isObject,
  listCodec,
  recordCodec,
  remedy,
  shown,
  wholeCodec,
  wordCodec,
  type Fields,
  type Members,
} from "./strict.js";

/** The keys are checked against the type: a cause without an entry does not compile. */
const causes: Readonly<Record<TrapCause, true>> = {
  tag: true,
  seal: true,
  type: true,
  "perm-load": true,
  "perm-store": true,
  "perm-execute": true,
  "perm-load-cap": true,
  "perm-store-cap": true,
  "perm-store-local": true,
  "perm-cinvoke": true,
  bounds: true,
  align: true,
  "page-unmapped": true,
  "page-read": true,
  "page-write": true,
  "page-exec": true,
  "page-store-cap": true,
};

const errors: Readonly<Record<ErrorCode, true>> = {
  EACCES: true,
  EAGAIN: true,
  EBADF: true,
  ECHILD: true,
  EEXIST: true,
  EFAULT: true,
  EFBIG: true,
  EINVAL: true,
  EISDIR: true,
  EMFILE: true,
  ENOENT: true,
  ENOMEM: true,
  ENOTDIR: true,
  EPERM: true,
  EPIPE: true,
  ESPIPE: true,
  ESRCH: true,
};

export const trapCauses = Object.keys(causes) as readonly TrapCause[];
export const errorCodes = Object.keys(errors) as readonly ErrorCode[];

const capability = recordCodec("cap", {
  tag: field(values.tag, true),
  address: field(values.number, true),
  base: field(values.number, true),
  top: field(values.number, true),
  permissions: field(jsonOperands.permissions.typed, true),
  otype: field(values.otype, true),
  flags: field(values.plainNumber, true),
});

const trapFields = { cause: field(wordCodec("trap cause", trapCauses)), operand: field(values.word, true) };

const endings = recordCodec("a status", {
  exited: field(wholeCodec("exit status", 0, 255), true),
  signalled: field(values.signal, true),
});

const isStatus = (value: unknown): value is ExitStatus => endings.is(value) && Object.keys(value).length === 1;

/** One of the two. */
const status = new t.Type<ExitStatus, unknown>(
  "status",
  isStatus,
  (input, context) => {
    const members = endings.validate(input, context);
    if (isLeft(members)) return members;
    return isStatus(members.right)
      ? t.success(members.right)
      : t.failure(input, context, "a process ends in one way; give exited or signalled");
  },
  (value) => value,
);

/** What each kind of observation has, by the key that tells it. */
const kinds: Readonly<Record<string, Fields>> = {
  cap: { cap: field(capability) },
  int: { int: field(values.plainNumber) },
  bytes: { bytes: field(values.bytes) },
  fd: { fd: field(values.descriptor) },
  fds: { fds: field(values.descriptors) },
  set: { set: field(listCodec("a set", values.member)) },
  child: { child: field(wholeCodec("process")) },
  process: { process: field(wholeCodec("process")), status: field(status, true) },
  trap: { trap: field(recordCodec("trap", trapFields)) },
  error: { error: field(wordCodec("error", errorCodes)) },
  ...Object.fromEntries(Object.keys(bareObservations).map((key) => [key, { [key]: field(values.present) }])),
};

/** The keys that tell observations in JSON. */
export const observationKeys = Object.keys(kinds);

/** Their words in text. */
const printed = [
  ...observationKeys.filter((key) => !Object.hasOwn(bareObservations, key)),
  ...Object.values(bareObservations),
];

const kindCodecs = new Map(
  Object.entries(kinds).map(([kind, fields]) => [
    kind,
    recordCodec(kind, { ...fields, signals: field(values.signals, true) }),
  ]),
);

const kindOf = (value: Members): string | undefined => observationKeys.find((kind) => Object.hasOwn(value, kind));

const isExpectation = (value: unknown): value is Expectation => {
  const kind = isObject(value) ? kindOf(value) : undefined;
  return kind !== undefined && kindCodecs.get(kind)?.is(value) === true;
};

export const notAnObservation = (input: string): string =>
  `${shown(input)} is not an observation; ${remedy(input, printed, `observations are ${printed.join(", ")}`)}`;

export const expectationCodec = new t.Type<Expectation, Members>(
  "expectation",
  isExpectation,
  (input, context) => {
    if (!isObject(input)) return t.failure(input, context, `${quote(input)} is not an observation; write an object`);
    const kind = kindOf(input);
    const codec = kind === undefined ? undefined : kindCodecs.get(kind);
    if (codec === undefined) return t.failure(input, context, notAnObservation(Object.keys(input)[0] ?? "nothing"));
    const result = codec.validate(input, context);
    if (result._tag === "Left") return result;
    return isExpectation(result.right) ? t.success(result.right) : t.failure(input, context);
  },
  (value) => ({ ...value }),
);

/** What is a set: the order in which it is written does not matter. */
const sets: readonly string[] = ["permissions", "set"];

const isSameList = (expected: readonly unknown[], actual: readonly unknown[], key: string): boolean =>
  sets.includes(key)
    ? expected.every((value) => actual.includes(value)) && actual.every((value) => expected.includes(value))
    : isDeepStrictEqual(expected, actual);

const isSubset = (expected: unknown, actual: unknown, name = ""): boolean => {
  if (isObject(expected) && isObject(actual)) {
    return Object.entries(expected).every(([key, value]) => isSubset(value, actual[key], key));
  }
  if (Array.isArray(expected) && Array.isArray(actual)) return isSameList(expected, actual, name);
  return expected === actual;
};

/** Does an observation have everything that is expected of it? Of signals that are not expected nothing is said. */
export const meetsExpectation = (expected: Expectation, actual: CanonicalObservation): boolean =>
  isSubset(expected, { ...actual, signals: actual.signals ?? [] });

/**
 * The canonical form of observations (CANON-1): what two machines that place regions differently still agree on, as a plain
 * JSON object and as one line of text.
 *
 * Only the numbers of tagged memory capabilities change: they are printed relative to the region that contains the
 * capability's *bounds*, wherever its address lies.
 */
import { match } from "ts-pattern";
import {
  permissionNames,
  type Capability,
  type CapabilityFormat,
  type Permission,
  type TrapCause,
} from "../spec/cheri/index.js";
import { kernelBase, regionSize, sharedBase } from "../spec/sfork/config.js";
import { regionBase, type Machine } from "../spec/sfork/machine.js";
import type { ErrorCode, ExitStatus, Observation } from "../spec/sfork/observation.js";
import { isMemoryCapability, liesWithin, type Range } from "../spec/sfork/relocate.js";
import { strategies } from "../spec/sfork/laws.js";

/** Numbers are `0x…`, or `P1+0x…`, `S0-0x…`, `K+0x…`; the object types that every format has are words. */
export interface CanonicalCapability {
  readonly tag: boolean;
  readonly address: string;
  readonly base: string;
  readonly top: string;
  readonly permissions: readonly Permission[];
  readonly otype: string;
  readonly flags: string;
}

/** What a step observed, as programs.md has it: exactly one of these. */
type Observed =
  | { readonly cap: CanonicalCapability }
  | { readonly int: string }
  | { readonly none: true }
  /** Two digits for each byte. */
  | { readonly bytes: string }
  | { readonly fd: number }
  | { readonly fds: readonly [read: number, write: number] }
  | { readonly set: readonly (number | string)[] }
  | { readonly child: number }
  | { readonly process: number; readonly status: ExitStatus }
  | { readonly trap: { readonly cause: TrapCause; readonly operand: string } }
  | { readonly error: ErrorCode }
  | { readonly wouldBlock: true }
  | { readonly unsupported: true }
  | { readonly noActor: true }
  | { readonly halted: true }
  | { readonly badChoice: true }
  | { readonly outOfFrames: true }
  | { readonly outsideProfile: true };

/** Stands beside any of them: the signals that the thread took before its step. */
interface WithSignals {
  readonly signals?: readonly number[];
}

/** An observation, and the signals that were taken, if any were. */
export type CanonicalObservation = Observed & WithSignals;

/** A range of addresses that has a name, and the numbers relative to its start. */
export interface Named {
  readonly name: string;
  readonly range: Range;
  /** Printed behind the number: nobody lives in the region any more. */
  readonly suffix: string;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** The process that lives in a slot, or the last that did. */
const lastOwner = (machine: Machine, slot: number): Pick<Named, "name" | "suffix"> | undefined => {
  const lives = machine.processes.findIndex((process) => process.slot === slot && process.state.kind === "live");
  if (lives !== -1) return { name: `P${lives}`, suffix: "" };
  const last = machine.processes.findLastIndex((process) => process.slot === slot);
  return last === -1 ? undefined : { name: `P${last}`, suffix: ",dead" };
};

const slotOf = ({ config }: Machine, address: bigint): number => Number((address - config.base) / config.stride);

/** Who has a slot. In separate address spaces there is one region to be seen, that of the process that looks. */
const ownerOf = (machine: Machine, slot: number, process: number | undefined): ReturnType<typeof lastOwner> => {
  if (!strategies[machine.config.strategy].separate) return lastOwner(machine, slot);
  return slot !== 0 || process === undefined ? undefined : { name: `P${process}`, suffix: "" };
};

/** The region, shared segment or kernel that contains a capability's bounds; the lowest where several do. */
const containing = (machine: Machine, capability: Capability, process: number | undefined): Named | undefined => {
  const { config } = machine;
  const shared = sharedBase(config);
  const page = BigInt(config.page);
  const kernel = { start: kernelBase(config), end: kernelBase(config) + page };
  if (capability.base < config.base) return undefined;
  if (capability.base < shared) {
    const slot = slotOf(machine, capability.base);
    const start = regionBase(config, slot);
    const range = { start, end: start + regionSize(config) };
    const owner = ownerOf(machine, slot, process);
    return owner !== undefined && liesWithin(capability, range) ? { ...owner, range } : undefined;
  }
  const segments = Array.from({ length: config.shared }, (_, segment): Named => {
    const start = shared + BigInt(segment) * page;
    return { name: `S${segment}`, range: { start, end: start + page }, suffix: "" };
  });
  return [...segments, { name: "K", range: kernel, suffix: "" }].find(({ range }) => liesWithin(capability, range));
};

/** The distance from a start, modulo the address space, with the sign that makes it smaller. */
export const relative = (format: CapabilityFormat, { name, range, suffix }: Named, value: bigint): string => {
  const width = Number(format.addressBits);
  const distance = BigInt.asIntN(width, value - range.start);
  const half = 1n << BigInt(width - 1);
  if (distance === -half) return `${name}+${hex(half)}${suffix}`;
  return distance < 0n ? `${name}-${hex(-distance)}${suffix}` : `${name}+${hex(distance)}${suffix}`;
};

const otypeName = ({ otypes }: CapabilityFormat, otype: bigint): string => {
  if (otype === otypes.unsealed) return "unsealed";
  return otype === otypes.sentry ? "sentry" : hex(otype);
};

const withNumbers = (
  format: CapabilityFormat,
  capability: Capability,
  number: (value: bigint) => string,
): CanonicalCapability => ({
  tag: capability.tag,
  address: number(capability.address),
  base: number(capability.base),
  top: number(capability.top),
  permissions: permissionNames(format.permissionBits, capability.permissions),
  otype: otypeName(format, capability.otype),
  flags: hex(capability.flags),
});

/**
 * A capability in canonical form, on the machine as it is after the step that showed it. `process` took the step: where
 * every process has an address space of its own, what lies in a region is that process's.
 */
export const canonicalCapability = (
  capability: Capability,
  machine: Machine,
  process: number | undefined,
): CanonicalCapability => {
  const { format } = machine;
  const isMemory = capability.tag && isMemoryCapability(format, capability);
  const named = isMemory ? containing(machine, capability, process) : undefined;
  return withNumbers(format, capability, (value) =>
    named === undefined ? hex(value) : relative(format, named, value),
  );
};

const digits = (byte: number): string => byte.toString(16).padStart(2, "0");

const observed = (observation: Observation, capability: (capability: Capability) => CanonicalCapability): Observed =>
  match<Observation, Observed>(observation)
    .with({ kind: "capability" }, (seen) => ({ cap: capability(seen.capability) }))
    .with({ kind: "integer" }, ({ integer }) => ({ int: hex(integer) }))
    .with({ kind: "none" }, () => ({ none: true }))
    .with({ kind: "bytes" }, ({ bytes }) => ({ bytes: bytes.map(digits).join("") }))
    .with({ kind: "descriptor" }, ({ descriptor }) => ({ fd: descriptor }))
    .with({ kind: "descriptors" }, ({ descriptors }) => ({ fds: descriptors }))
    .with({ kind: "set" }, ({ members }) => ({ set: members }))
    .with({ kind: "child" }, ({ child }) => ({ child }))
    .with({ kind: "process" }, ({ process, status }) => ({ process, status }))
    .with({ kind: "trap" }, ({ trap, operand }) => ({ trap: { cause: trap, operand } }))
    .with({ kind: "error" }, ({ error }) => ({ error }))
    .with({ kind: "would-block" }, () => ({ wouldBlock: true }))
    .with({ kind: "unsupported" }, () => ({ unsupported: true }))
    .with({ kind: "no-actor" }, () => ({ noActor: true }))
    .with({ kind: "halted" }, () => ({ halted: true }))
    .with({ kind: "bad-choice" }, () => ({ badChoice: true }))
    .with({ kind: "out-of-frames" }, () => ({ outOfFrames: true }))
    .with({ kind: "outside-profile" }, () => ({ outsideProfile: true }))
    .exhaustive();

/**
 * An observation in canonical form. `machine` is the one after the step; `process` the one that took it, undefined where
 * nobody could; `signals` those that were taken before it.
 */
export const canonical = (
  observation: Observation,
  machine: Machine,
  process: number | undefined,
  signals: readonly number[] = [],
): CanonicalObservation => ({
  ...observed(observation, (capability) => canonicalCapability(capability, machine, process)),
  ...(signals.length === 0 ? {} : { signals }),
});

/** The same shape with every number as it is: what the comparison of levels goes by. */
export const plain = (observation: Observation, format: CapabilityFormat): CanonicalObservation =>
  observed(observation, (capability) => withNumbers(format, capability, hex));

/**
 * What a program expects of an observation: its canonical form, of which a capability, a trap or a reaped process may be
 * given in part, and the signals left out.
 */
export type Expectation = (
  | Exclude<Observed, { readonly cap: unknown } | { readonly process: unknown } | { readonly trap: unknown }>
  | { readonly cap: Partial<CanonicalCapability> }
  | { readonly process: number; readonly status?: ExitStatus }
  | { readonly trap: { readonly cause: TrapCause; readonly operand?: string } }
) &
  WithSignals;

/** Observations that say no more than their name: the key in JSON, the word in text. */
export const bareObservations = {
  none: "none",
  wouldBlock: "would-block",
  unsupported: "unsupported",
  noActor: "no-actor",
  halted: "halted",
  badChoice: "bad-choice",
  outOfFrames: "out-of-frames",
  outsideProfile: "outside-profile",
} as const;

/** The fields of a capability in the order in which they are printed. */
const capabilityFields = ["tag", "base", "top", "address", "permissions", "otype", "flags"] as const;

const list = (values: readonly (string | number)[], separator: string): string =>
  values.length === 0 ? "none" : values.join(separator);

const printField = (value: boolean | string | readonly string[]): string => {
  if (typeof value === "boolean") return value ? "1" : "0";
  return typeof value === "string" ? value : list(value, ",");
};

const printStatus = (status: ExitStatus): string =>
  "exited" in status ? `exited=${status.exited}` : `signalled=${status.signalled}`;

const words = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined).join(" ");

const printCapability = (capability: Partial<CanonicalCapability>): string => {
  const fields = capabilityFields.map((field) => {
    const value = capability[field];
    return value === undefined ? undefined : `${field}=${printField(value)}`;
  });
  return words("cap", ...fields);
};

const printObserved = (observation: Expectation): string => {
  if ("cap" in observation) return printCapability(observation.cap);
  if ("int" in observation) return `int ${observation.int}`;
  if ("bytes" in observation) return `bytes ${observation.bytes === "" ? "none" : observation.bytes}`;
  if ("fd" in observation) return `fd ${observation.fd}`;
  if ("fds" in observation) return `fds ${observation.fds.join(" ")}`;
  if ("set" in observation) return `set ${list(observation.set, " ")}`;
  if ("child" in observation) return `child P${observation.child}`;
  if ("process" in observation) {
    const { process, status } = observation;
    return words("process", `P${process}`, status === undefined ? undefined : printStatus(status));
  }
  if ("trap" in observation) return words("trap", observation.trap.cause, observation.trap.operand);
  if ("error" in observation) return `error ${observation.error}`;
  return Object.entries(bareObservations).find(([key]) => key in observation)?.[1] ?? "none";
};

/** An observation, whole or in part, as one line: what stands behind `expect` in a program. */
export const printObservation = (observation: Expectation): string => {
  const { signals } = observation;
  return words(printObserved(observation), signals === undefined ? undefined : `signals=${list(signals, ",")}`);
};

/** An observation in canonical form, as one line; the arguments are those of `canonical`. */
export const describe = (...seen: Parameters<typeof canonical>): string => printObservation(canonical(...seen));

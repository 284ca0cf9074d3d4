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

/** An observation as programs.md has it: exactly one of these. */
export type CanonicalObservation =
  | { readonly cap: CanonicalCapability }
  | { readonly int: string }
  | { readonly none: true }
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

/** A range of addresses that has a name, and the numbers relative to its start. */
interface Named {
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

/** The region, shared segment or kernel that contains a capability's bounds; the lowest where several do. */
const containing = (machine: Machine, capability: Capability): Named | undefined => {
  const { config } = machine;
  const shared = sharedBase(config);
  const page = BigInt(config.page);
  const kernel = { start: kernelBase(config), end: kernelBase(config) + page };
  if (capability.base < config.base) return undefined;
  if (capability.base < shared) {
    const slot = slotOf(machine, capability.base);
    const start = regionBase(config, slot);
    const range = { start, end: start + regionSize(config) };
    const owner = lastOwner(machine, slot);
    return owner !== undefined && liesWithin(capability, range) ? { ...owner, range } : undefined;
  }
  const segments = Array.from({ length: config.shared }, (_, segment): Named => {
    const start = shared + BigInt(segment) * page;
    return { name: `S${segment}`, range: { start, end: start + page }, suffix: "" };
  });
  return [...segments, { name: "K", range: kernel, suffix: "" }].find(({ range }) => liesWithin(capability, range));
};

/** The distance from a start, modulo the address space, with the sign that makes it smaller. */
const relative = (format: CapabilityFormat, { name, range, suffix }: Named, value: bigint): string => {
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

/** A capability in canonical form, on the machine as it is after the step that showed it. */
export const canonicalCapability = (capability: Capability, machine: Machine): CanonicalCapability => {
  const { format } = machine;
  const isMemory = capability.tag && isMemoryCapability(format, capability);
  const named = isMemory ? containing(machine, capability) : undefined;
  return withNumbers(format, capability, (value) =>
    named === undefined ? hex(value) : relative(format, named, value),
  );
};

const observed = (
  observation: Observation,
  capability: (capability: Capability) => CanonicalCapability,
): CanonicalObservation =>
  match<Observation, CanonicalObservation>(observation)
    .with({ kind: "capability" }, (seen) => ({ cap: capability(seen.capability) }))
    .with({ kind: "integer" }, ({ integer }) => ({ int: hex(integer) }))
    .with({ kind: "none" }, () => ({ none: true }))
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

/** An observation in canonical form. `machine` is the one after the step. */
export const canonical = (observation: Observation, machine: Machine): CanonicalObservation =>
  observed(observation, (capability) => canonicalCapability(capability, machine));

/** The same shape with every number as it is: what the comparison of levels goes by. */
export const plain = (observation: Observation, format: CapabilityFormat): CanonicalObservation =>
  observed(observation, (capability) => withNumbers(format, capability, hex));

/**
 * What a program expects of an observation: its canonical form, of which a capability, a trap or a reaped process may be
 * given in part.
 */
export type Expectation =
  | Exclude<
      CanonicalObservation,
      { readonly cap: unknown } | { readonly process: unknown } | { readonly trap: unknown }
    >
  | { readonly cap: Partial<CanonicalCapability> }
  | { readonly process: number; readonly status?: ExitStatus }
  | { readonly trap: { readonly cause: TrapCause; readonly operand?: string } };

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

const printField = (value: boolean | string | readonly string[]): string => {
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "string") return value;
  return value.length === 0 ? "none" : value.join(",");
};

const words = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined).join(" ");

/** An observation, whole or in part, as one line: what stands behind `expect` in a program. */
export const printObservation = (observation: Expectation): string => {
  if ("cap" in observation) {
    const fields = capabilityFields.map((field) => {
      const value = observation.cap[field];
      return value === undefined ? undefined : `${field}=${printField(value)}`;
    });
    return words("cap", ...fields);
  }
  if ("int" in observation) return `int ${observation.int}`;
  if ("child" in observation) return `child P${observation.child}`;
  if ("process" in observation) {
    const { process, status } = observation;
    return words("process", `P${process}`, status === undefined ? undefined : `exited=${status.exited}`);
  }
  if ("trap" in observation) return words("trap", observation.trap.cause, observation.trap.operand);
  if ("error" in observation) return `error ${observation.error}`;
  const [name] = Object.keys(observation) as readonly (keyof typeof bareObservations)[];
  return name === undefined ? "none" : bareObservations[name];
};

/** An observation in canonical form, as one line. `machine` is the one after the step. */
export const describe = (observation: Observation, machine: Machine): string =>
  printObservation(canonical(observation, machine));

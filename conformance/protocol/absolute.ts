/** Absolute addresses of an implementation that says where its regions lie, in canonical form (CANON-1). */
import { regionSize } from "../../spec/sfork/config.js";
import type { Machine } from "../../spec/sfork/machine.js";
import { relative, type CanonicalCapability, type Named } from "../canon.js";
import type { Answered } from "./answers.js";
import type { SeenRegion } from "./messages.js";

const rangeAt = (base: string, size: bigint): Named["range"] => ({ start: BigInt(base), end: BigInt(base) + size });

/** What lies where, after a step: of the processes that had a region, who lives there or was the last that did. */
const named = (machine: Machine, regions: readonly SeenRegion[]): readonly Named[] => {
  const page = BigInt(machine.config.page);
  const all = regions.flatMap((region): readonly (Named & { readonly order: number })[] => {
    if ("segment" in region) {
      return [{ name: `S${region.segment}`, range: rangeAt(region.base, page), suffix: "", order: 0 }];
    }
    if ("kernel" in region) return [{ name: "K", range: rangeAt(region.base, page), suffix: "", order: 0 }];
    const state = machine.processes[region.process]?.state.kind;
    // It is made by a later step.
    if (state === undefined) return [];
    const suffix = state === "live" ? "" : ",dead";
    const order = state === "live" ? Infinity : region.process;
    return [{ name: `P${region.process}`, range: rangeAt(region.base, regionSize(machine.config)), suffix, order }];
  });
  return all.toSorted((one, two) => two.order - one.order);
};

const isPlain = (number: string): boolean => number.startsWith("0x");

/** A capability as it was told, with the numbers of what lies somewhere relative to that. */
export const placedCapability = (
  cap: CanonicalCapability,
  machine: Machine,
  regions: readonly SeenRegion[],
): CanonicalCapability => {
  const isMemory = !cap.permissions.includes("seal") && !cap.permissions.includes("unseal");
  if (!cap.tag || !isMemory || ![cap.address, cap.base, cap.top].every(isPlain)) return cap;
  const [base, top] = [BigInt(cap.base), BigInt(cap.top)];
  const area = named(machine, regions).find(({ range }) => base >= range.start && top <= range.end && base <= top);
  if (area === undefined) return cap;
  const number = (value: string): string => relative(machine.format, area, BigInt(value));
  return { ...cap, address: number(cap.address), base: number(cap.base), top: number(cap.top) };
};

/** An observation with absolute addresses, after a step of the specification's machine. */
export const placed = (answered: Answered, machine: Machine, regions: readonly SeenRegion[]): Answered =>
  "cap" in answered ? { ...answered, cap: placedCapability(answered.cap, machine, regions) } : answered;

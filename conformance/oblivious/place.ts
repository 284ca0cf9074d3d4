/**
 * Where a capability's bounds lie, and what it is where everything lies elsewhere: two machines that run the same program
 * with regions at different addresses, such as one address space for all processes and one for each.
 */
import { relocate, type Capability } from "../../spec/cheri/index.js";
import { kernelBase, sharedBase, type Config } from "../../spec/sfork/config.js";
import { regionBase, type Machine } from "../../spec/sfork/machine.js";
import { regionRange } from "../../spec/sfork/paging.js";
import { isMemoryCapability, liesWithin } from "../../spec/sfork/relocate.js";

/** A region by its slot, a shared segment, or the kernel: what moves as one. */
type Area = { readonly slot: number } | { readonly segment: number } | "kernel";

const pageOf = ({ page }: Config, start: bigint) => ({ start, end: start + BigInt(page) });

const startOf = (config: Config, area: Area): bigint => {
  if (area === "kernel") return kernelBase(config);
  return "slot" in area
    ? regionBase(config, area.slot)
    : sharedBase(config) + BigInt(area.segment) * BigInt(config.page);
};

/** The segment, or the kernel, that contains the bounds; the lowest where several do. */
const sharedArea = ({ config }: Machine, capability: Capability): Area | undefined => {
  const areas: readonly Area[] = [...Array.from({ length: config.shared }, (_, segment) => ({ segment })), "kernel"];
  return areas.find((area) => liesWithin(capability, pageOf(config, startOf(config, area))));
};

/** The area of a tagged memory capability. What has none is a number everywhere: sealing authority, untagged values. */
const areaOf = (machine: Machine, capability: Capability): Area | undefined => {
  const { config, format } = machine;
  if (!capability.tag || !isMemoryCapability(format, capability) || capability.base < config.base) return undefined;
  if (capability.base >= sharedBase(config)) return sharedArea(machine, capability);
  const slot = Number((capability.base - config.base) / config.stride);
  return liesWithin(capability, regionRange(machine, slot)) ? { slot } : undefined;
};

/** The numbers of the capability depend on where things lie. */
export const isPlaced = (machine: Machine, capability: Capability): boolean =>
  areaOf(machine, capability) !== undefined;

/** Both lie in the same area, and so at the same distance wherever that is. */
export const moveAlike = (machine: Machine, a: Capability, b: Capability): boolean => {
  const [one, two] = [areaOf(machine, a), areaOf(machine, b)];
  return one !== undefined && two !== undefined && startOf(machine.config, one) === startOf(machine.config, two);
};

/** The capability as the machine with configuration `other` has it. */
export const elsewhere = (machine: Machine, capability: Capability, other: Config): Capability => {
  const area = areaOf(machine, capability);
  return area === undefined
    ? capability
    : relocate(machine.format, capability, startOf(other, area) - startOf(machine.config, area)).capability;
};

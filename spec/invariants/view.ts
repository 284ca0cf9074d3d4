/**
 * What a process sees of its memory, whatever a strategy has done about it so far: the checker's own account. It relocates
 * with its own reading of FORK-3, not with the machine's, so that a mistake there shows.
 */
import { permits, relocate, type Capability, type CapabilityFormat, type Granule } from "../cheri/index.js";
import { regionSize, sharedBase } from "../sfork/config.js";
import { regionBase, type Machine, type PageEntry } from "../sfork/machine.js";

/**
 * The image of a capability between two regions: base, top and address move together if base and top both lie within the
 * region that it comes from.
 * @rule FORK-3 checked @source µFork (SOSP 2025), relocation of tagged pointers
 */
export const imageOf = (
  format: CapabilityFormat,
  capability: Capability,
  from: bigint,
  to: bigint,
  size: bigint,
): Capability => {
  const isMemory = !permits(format, capability, "seal") && !permits(format, capability, "unseal");
  const inside =
    from <= capability.base && capability.base <= capability.top && capability.top <= from + size && isMemory;
  return capability.tag && inside && from !== to ? relocate(format, capability, to - from).capability : capability;
};

/**
 * A granule as a capability load with every right would deliver it after resolution; as it is, where a strategy has no load
 * wait for that.
 */
export const granuleImage = (machine: Machine, granule: Granule, from: bigint, to: bigint): Granule => {
  const { format, laws } = machine;
  const isRaw = laws.atFork !== "copy" && !laws.faultsOn("read-tagged");
  if (!granule.tag || from === to || isRaw) return granule;
  const before = format.decode(format.fromMemory(granule.bits), true);
  const after = imageOf(format, before, from, to, regionSize(machine.config));
  return { tag: after.tag, bits: format.toMemory(after) };
};

/** A page of a view: its granules, and what the process may do with it. */
export interface ViewPage {
  readonly granules: readonly Granule[];
  readonly protection: PageEntry["protection"];
}

/** The view of a page, undefined where nothing is mapped. */
export const viewPage = (machine: Machine, slot: number, index: number): ViewPage | undefined => {
  const entry = machine.regions[slot]?.[index];
  const frame = entry === undefined ? undefined : machine.frames[entry.frame];
  if (entry === undefined || frame === undefined) return undefined;
  const to = regionBase(machine.config, slot);
  return {
    granules: frame.memory.map((granule) => granuleImage(machine, granule, frame.home, to)),
    protection: entry.protection,
  };
};

/** The view of a region, page by page. */
export const viewRegion = (machine: Machine, slot: number): readonly (ViewPage | undefined)[] =>
  (machine.regions[slot] ?? []).map((_, index) => viewPage(machine, slot, index));

/** The granule at an address, as the owner of its page sees it; undefined where nothing is mapped. */
export const viewGranule = (machine: Machine, address: bigint): Granule | undefined => {
  const { config, laws, segments, space } = machine;
  const page = BigInt(config.page);
  const at = Number((address % page) / machine.format.granule);
  const shared = sharedBase(config);
  if (address >= shared) return segments[Number((address - shared) / page)]?.[at];
  const nth = Number((address - config.base) / config.stride);
  const index = Number(((address - config.base) % config.stride) / page);
  if (!laws.separate) return viewPage(machine, nth, index)?.granules[at];
  return nth === 0 ? viewPage(machine, space, index)?.granules[at] : undefined;
};

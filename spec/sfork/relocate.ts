/** Relocation by region (FORK-3): which capabilities a fork moves, and who owns what a capability points to. */
import { permits, relocate, type Capability, type CapabilityFormat } from "../cheri/index.js";

/** A range of addresses, its end not included. */
export interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * Neither Permit_Seal nor Permit_Unseal: its bounds are addresses, not object types, and take part in relocation and sweeps.
 * @rule CAP-6 memory @source CHERI ISAv9 §2 (sealing: object types are a space of their own)
 */
export const isMemoryCapability = (format: CapabilityFormat, capability: Capability): boolean =>
  !permits(format, capability, "seal") && !permits(format, capability, "unseal");

/** Base and top lie in the region: the whole capability is the region's, zero length at its end included. */
export const liesWithin = (capability: Capability, region: Range): boolean =>
  capability.base >= region.start && capability.top <= region.end && capability.base <= capability.top;

/**
 * The image of a capability in a region `delta` bytes away: moved if its *bounds* lie in `region`, unchanged otherwise.
 * Where the address lies, what it permits and whether it is sealed decide nothing.
 * @rule FORK-3 image @source µFork (SOSP 2025), relocation of tagged pointers
 */
export const relocated = (
  format: CapabilityFormat,
  capability: Capability,
  region: Range,
  delta: bigint,
): Capability =>
  delta !== 0n && capability.tag && isMemoryCapability(format, capability) && liesWithin(capability, region)
    ? relocate(format, capability, delta).capability
    : capability;

/**
 * Does a capability point into a range that ended? Rights do not matter; zero length counts where it stands, its ends
 * included.
 * @rule REUSE-1 meets @source Cornucopia Reloaded (ASPLOS 2024), what a sweep revokes
 */
export const meets = (format: CapabilityFormat, capability: Capability, range: Range): boolean =>
  capability.tag &&
  isMemoryCapability(format, capability) &&
  (capability.base === capability.top
    ? range.start <= capability.base && capability.base <= range.end
    : capability.base < range.end && capability.top > range.start);

/** Moving a capability by a distance: the arithmetic under FORK-3; whether it is moved is decided in `spec/sfork`. */
import { truncate } from "./bits.js";
import { keepTagIf, type Capability, type CapabilityFormat } from "./capability.js";

export interface Relocated {
  readonly capability: Capability;
  /** Base, top and address are exactly the old ones plus the distance. */
  readonly exact: boolean;
  /** The bounds alone are, wherever the address lies. */
  readonly boundsExact: boolean;
}

/**
 * Base, top and address moved by `delta`, a signed number of bytes; permissions, object type and flags stay. The moved
 * capability is *encoded*, not derived: replaying instructions can refuse a few that encode exactly. Where no encoding
 * says it exactly (a distance that is not aligned enough, bounds that leave the address space) the tag is lost.
 *
 * @rule FORK-3 encode @source µFork (SOSP 2025); CHERI Concentrate for what is representable
 */
export const relocate = (format: CapabilityFormat, capability: Capability, delta: bigint): Relocated => {
  const end = 1n << format.addressBits;
  const base = capability.base + delta;
  const top = capability.top + delta;
  const address = truncate(format.addressBits, capability.address + delta);
  // 1. Bounds that are malformed, or would leave the address space, are not encoded: only the address moves.
  const { valid } = format.decodeBounds(capability.metadata, capability.address);
  if (valid && delta === 0n) return { capability, exact: true, boundsExact: true };
  const encodable = valid && base >= 0n && base < end && base <= top && top <= end;
  const encoded = encodable
    ? format.encodeBounds(capability.metadata, base, top)
    : { metadata: capability.metadata, exact: false };
  // 2. The tag stays if all three numbers are what they should be.
  const result = format.decode({ metadata: encoded.metadata, address }, capability.tag);
  const exact = encodable && result.base === base && result.top === top;
  return { capability: keepTagIf(result, exact), exact, boundsExact: encoded.exact };
};

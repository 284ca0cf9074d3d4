/** False images: what becomes of a capability, or of a number, that a fork finds (beside FORK-3, `relocate.ts`). */
import { relocate, setAddress } from "../../cheri/index.js";
import { dataRights, memoryRoot } from "../machine.js";
import { isMemoryCapability, liesWithin, relocated, type Range } from "../relocate.js";

type Image = typeof relocated;

const includes = ({ start, end }: Range, address: bigint): boolean => address >= start && address < end;

/** CLAIM-3: what has its address in the region is the region's, wherever its bounds lie. */
export const imageByAddress: Image = (format, capability, region, delta) =>
  delta !== 0n && capability.tag && isMemoryCapability(format, capability) && includes(region, capability.address)
    ? relocate(format, capability, delta).capability
    : capability;

/** CLAIM-4: the address is enough to make the child's capability from the root of its region. */
export const imageFromRoot: Image = (format, capability, region, delta) => {
  if (relocated(format, capability, region, delta) === capability) return capability;
  const root = memoryRoot(format, region.start + delta, region.end - region.start, dataRights);
  return setAddress(format, root, capability.address + delta);
};

/** CLAIM-5: numbers in the region are addresses: those of object types, and those that are no capability's. */
export const imageByNumbers: Image = (format, capability, region, delta) => {
  if (delta === 0n) return capability;
  if (capability.tag)
    return liesWithin(capability, region) ? relocate(format, capability, delta).capability : capability;
  const isAddress = capability.address !== 0n && includes(region, capability.address);
  return isAddress ? setAddress(format, capability, capability.address + delta) : capability;
};

/** CLAIM-11: the distance between two regions is a length, and is added. */
export const imageByDistance: Image = (format, capability, region, delta) =>
  relocated(format, capability, region, delta < 0n ? -delta : delta);

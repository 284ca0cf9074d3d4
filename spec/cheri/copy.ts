/** Copying memory with its capabilities (MEM-5): what moves as what, and what is checked before anything is written. */
import { checkAuthorised, checkLoad, checkStoredTag, trap, type Check } from "./access.js";
import { inBounds, type Capability, type CapabilityFormat } from "./capability.js";

/** A piece of a copy, by its distance from both starts. */
export interface CopyPiece {
  readonly offset: bigint;
  readonly size: bigint;
  /** A granule that moves as a capability, as by a load and a store; anything else moves as bytes and clears tags. */
  readonly granule: boolean;
}

/**
 * Where source and destination lie alike within a granule, granules wholly inside both move as capabilities.
 * @rule MEM-5 pieces @source SFork design: capability-preserving copy
 */
export const copyPieces = (granule: bigint, from: bigint, to: bigint, size: bigint): readonly CopyPiece[] => {
  const bytes = (start: bigint, end: bigint): readonly CopyPiece[] =>
    start < end ? [{ offset: start, size: end - start, granule: false }] : [];
  const first = (granule - (from % granule)) % granule;
  const count = from % granule !== to % granule || size < first ? 0n : (size - first) / granule;
  if (count === 0n) return bytes(0n, size);
  const whole = Array.from({ length: Number(count) }, (_, index): CopyPiece => {
    return { offset: first + BigInt(index) * granule, size: granule, granule: true };
  });
  return [...bytes(0n, first), ...whole, ...bytes(first + count * granule, size)];
};

/**
 * The source: tag, seal, Load, and bounds unless nothing is copied.
 * @rule MEM-5 source @source SFork design: capability-preserving copy; CHERI ISAv9 §7 CLC
 */
export const checkCopySource = (format: CapabilityFormat, source: Capability, size: bigint): Check =>
  size === 0n ? checkAuthorised(format, source, "load") : checkLoad(format, source, source.address, size);

/**
 * The destination: tag, seal, Store, then what the tagged ones among the moved capabilities need, then bounds.
 * @rule MEM-5 destination @source SFork design: capability-preserving copy; CHERI ISAv9 §7 CSC
 */
export const checkCopyDestination = (
  format: CapabilityFormat,
  destination: Capability,
  size: bigint,
  moved: readonly Capability[],
): Check =>
  checkAuthorised(format, destination, "store") ??
  moved.map((value) => checkStoredTag(format, destination, value)).find((check) => check !== undefined) ??
  (size === 0n || inBounds(destination, format.plainAddress(destination.address), size) ? undefined : trap("bounds"));

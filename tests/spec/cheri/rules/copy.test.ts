/** MEM-5: what a copy moves as what, and what it checks before it writes. */
import { expect, test } from "vitest";
import {
  checkCopyDestination,
  checkCopySource,
  copyPieces,
  formats,
  setAddress,
  type Capability,
  type CapabilityFormat,
  type Check,
  type CopyPiece,
  type Permission,
  type TrapCause,
} from "../../../../spec/cheri/index.js";
import { all, capability, sealedType } from "./capabilities.js";

const trap = (cause: TrapCause): Check => ({ trap: cause, operand: "cs1" });

const bytes = (offset: bigint, size: bigint): CopyPiece => ({ offset, size, granule: false });

test("MEM-5 pieces: granules wholly inside both move as capabilities, the bytes around them as bytes", () => {
  for (const { granule: g, name } of all) {
    const whole = (offset: bigint): CopyPiece => ({ offset, size: g, granule: true });
    const cases: readonly (readonly [from: bigint, to: bigint, size: bigint, pieces: readonly CopyPiece[]])[] = [
      // Both on a border of granules.
      [0x1000n, 0x2000n, 2n * g, [whole(0n), whole(g)]],
      [0x1000n, 0x2000n, 2n * g + 1n, [whole(0n), whole(g), bytes(2n * g, 1n)]],
      [0x1000n, 0x2000n, g - 1n, [bytes(0n, g - 1n)]],
      // Both three bytes behind one: a head, two whole granules, a tail.
      [0x1003n, 0x2003n, 3n * g, [bytes(0n, g - 3n), whole(g - 3n), whole(2n * g - 3n), bytes(3n * g - 3n, 3n)]],
      [0x1003n, 0x2003n, g, [bytes(0n, g)]],
      // Not alike within a granule: nothing but bytes, however long.
      [0x1000n, 0x2001n, 4n * g, [bytes(0n, 4n * g)]],
      [0x1001n, 0x2002n, 4n * g, [bytes(0n, 4n * g)]],
      [0x1000n, 0x2000n, 0n, []],
    ];
    for (const [from, to, size, pieces] of cases) {
      expect(copyPieces(g, from, to, size), `${name} ${size.toString()} bytes`).toEqual(pieces);
    }
  }
});

/** Of 0x100 bytes at 0x1000. */
const side = (format: CapabilityFormat, allow: readonly Permission[], changed: Partial<Capability> = {}): Capability =>
  capability(format, { allow, ...changed });

/** The least that stores capabilities in every format, but not local ones. */
const storing: readonly Permission[] = ["load", "store", "load-cap", "store-cap", "mutable-load"];

test("MEM-5 source: tag, seal, Load, bounds; of no bytes all but the bounds", () => {
  for (const format of all) {
    const otype = sealedType(format);
    const ladder: readonly (readonly [source: Capability, cause: TrapCause])[] = [
      [side(format, ["store"], { otype, tag: false }), "tag"],
      [side(format, ["store"], { otype }), "seal"],
      [side(format, ["store"]), "perm-load"],
    ];
    for (const [source, cause] of ladder) {
      expect(checkCopySource(format, source, 0x101n), format.name).toEqual(trap(cause));
      expect(checkCopySource(format, source, 0n), format.name).toEqual(trap(cause));
    }
    const source = side(format, ["load"]);
    expect(checkCopySource(format, source, 0x100n), format.name).toBeUndefined();
    expect(checkCopySource(format, source, 0x101n), format.name).toEqual(trap("bounds"));
    const behind = setAddress(format, source, 0x1108n);
    expect(checkCopySource(format, behind, 1n), format.name).toEqual(trap("bounds"));
    expect(checkCopySource(format, behind, 0n), format.name).toBeUndefined();
  }
});

test("MEM-5 destination: tag, seal, Store, what moved capabilities need, bounds; of no bytes all but the bounds", () => {
  for (const format of all) {
    const otype = sealedType(format);
    const moved = [capability(format, { tag: false }), capability(format)];
    const ladder: readonly (readonly [destination: Capability, cause: TrapCause])[] = [
      [side(format, ["load"], { otype, tag: false }), "tag"],
      [side(format, ["load"], { otype }), "seal"],
      [side(format, ["load"]), "perm-store"],
    ];
    for (const [destination, cause] of ladder) {
      expect(checkCopyDestination(format, destination, 0x101n, moved), format.name).toEqual(trap(cause));
      expect(checkCopyDestination(format, destination, 0n, []), format.name).toEqual(trap(cause));
    }
    const destination = side(format, storing);
    expect(checkCopyDestination(format, destination, 0x100n, moved), format.name).toBeUndefined();
    expect(checkCopyDestination(format, destination, 0x101n, moved), format.name).toEqual(trap("bounds"));
    const behind = setAddress(format, destination, 0x1108n);
    expect(checkCopyDestination(format, behind, 1n, []), format.name).toEqual(trap("bounds"));
    expect(checkCopyDestination(format, behind, 0n, []), format.name).toBeUndefined();
    // Untagged ones need nothing; a tagged one among them does, before the bounds; RVY will store it untagged.
    const data = side(format, ["store"]);
    expect(checkCopyDestination(format, data, 0x100n, moved.slice(0, 1)), format.name).toBeUndefined();
    const refused = format.transfer === "rvy" ? "bounds" : "perm-store-cap";
    expect(checkCopyDestination(format, data, 0x101n, moved), format.name).toEqual(trap(refused));
  }
  const v9 = formats["cheri128-v9"];
  const local = capability(v9, { allow: ["load"] });
  expect(checkCopyDestination(v9, side(v9, storing), 0x101n, [local])).toEqual(trap("perm-store-local"));
});

/**
 * RISC-V CHERI with 64-bit addresses (RV64Y).
 *
 * Metadata: reserved 63:57, software permissions 56:53, mode 52, permissions 51:44 (from the lowest: C W R X ASR LM EL
 * SL), level 43, reserved 42:28, otype 27, *no* internal exponent 26, T 25:14, B 13:0.
 *
 * @source RVY, "The RV64LYA Capability Base for RV64"
 */
import { bits, deposit, extract } from "../bits.js";
import type { CapabilityFormat } from "../capability.js";
import type { BoundsEncoding } from "../concentrate.js";
import { inOrder, permissionMask, permissionNames, permissionWords, type PermissionBits } from "../permissions.js";
import { compressedFormat, noFlagBits } from "./compressed.js";
import * as rvy from "./rvy.js";

const bounds: BoundsEncoding = {
  ...rvy.encoding(52n, 14n),
  addressBits: 64n,
  lowBits: 3n,
  internalFrom: 1n << 12n,
  internalFlag: { field: bits(26, 26), value: 0n },
  B: bits(13, 0),
  T: bits(25, 14),
  lengthBit: undefined,
  exception: rvy.malformed(52n, 14n, true),
};

const permissionBits: PermissionBits = { ...rvy.permissionBits, user2: 1n << 8n, user3: 1n << 9n };

/** The stored bits of the metadata word: level, then the eight permissions. */
const stored: PermissionBits = {
  ...inOrder(43, "global", "load-cap", "store", "load", "execute", "system", "mutable-load", "elevate-level"),
  ...inOrder(51, "store-local"),
};
const allStored = permissionMask(stored, permissionWords);
const software = bits(56, 53);
const mode = bits(52, 52);

export const rvy128: CapabilityFormat = compressedFormat({
  name: "rvy128",
  bounds,
  permissionBits,
  alwaysOnePermissions: 0xf8_fc00n,
  otypes: rvy.otypes,
  transfer: "rvy",
  rootMetadata: 0x01ff_f800_0000_0000n,
  nullMask: 0n,
  otype: bits(27, 27),
  reserved: [bits(63, 57), bits(42, 28)],
  permissionsOf: (raw) => permissionMask(permissionBits, permissionNames(stored, raw)) | (extract(software, raw) << 6n),
  withPermissions: (raw, permissions) => {
    const named = permissionMask(stored, permissionNames(permissionBits, permissions));
    return { metadata: deposit(software, (raw & ~allStored) | named, permissions >> 6n), exact: true };
  },
  flagsOf: (raw) => extract(mode, raw),
  // Without execute permission there is no mode to set (RVY YMODEW).
  withFlags: (raw, address, flags) => ({
    metadata: (raw & permissionMask(stored, ["execute"])) !== 0n ? deposit(mode, raw, flags) : raw,
    address,
  }),
  flagBits: noFlagBits,
});

/**
 * CHERI-RISC-V of ISAv9 with 64-bit addresses.
 *
 * Metadata, without the null mask: software permissions 63:60, permissions 59:48, reserved 47:46, flag 45, otype 44:27,
 * internal exponent 26, T 25:14, B 13:0.
 *
 * @source CHERI ISAv9 §3.5.4; sail-cheri-riscv cheri_prelude_128.sail
 */
import { bits } from "../bits.js";
import type { CapabilityFormat } from "../capability.js";
import type { BoundsEncoding } from "../concentrate.js";
import { compressedFormat, modeFlag, noFlagBits, plainPermissions } from "./compressed.js";
import * as v9 from "./v9.js";

const bounds: BoundsEncoding = {
  ...v9.encoding,
  addressBits: 64n,
  mantissa: 14n,
  maxExponent: 52n,
  internalFrom: 1n << 12n,
  internalFlag: { field: bits(26, 26), value: 1n },
  B: bits(13, 0),
  T: bits(25, 14),
};

export const cheri128v9: CapabilityFormat = compressedFormat({
  name: "cheri128-v9",
  bounds,
  permissionBits: { ...v9.architecturalPermissions, ...v9.softwarePermissions },
  alwaysOnePermissions: 0n,
  otypes: v9.otypes(18n),
  transfer: "v9",
  rootMetadata: 0xffff_0000_0000_0000n,
  nullMask: 0x1fff_fc01_8004n,
  otype: bits(44, 27),
  reserved: [bits(47, 46)],
  ...plainPermissions([
    { field: bits(59, 48), at: 0n },
    { field: bits(63, 60), at: 15n },
  ]),
  ...modeFlag(bits(45, 45)),
  flagBits: noFlagBits,
});

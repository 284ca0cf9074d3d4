/**
 * CHERI-RISC-V of ISAv9 with 32-bit addresses.
 *
 * Metadata, without the null mask: permissions 31:20, flag 19, otype 18:15, internal exponent 14, T 13:8, B 7:0.
 *
 * @source CHERI ISAv9 §3.5.4; sail-cheri-riscv cheri_prelude_64.sail
 */
import { bits } from "../bits.js";
import type { CapabilityFormat } from "../capability.js";
import type { BoundsEncoding } from "../concentrate.js";
import { compressedFormat, modeFlag, noFlagBits, plainPermissions } from "./compressed.js";
import * as v9 from "./v9.js";

const bounds: BoundsEncoding = {
  ...v9.encoding,
  addressBits: 32n,
  mantissa: 8n,
  maxExponent: 26n,
  internalFrom: 1n << 6n,
  internalFlag: { field: bits(14, 14), value: 1n },
  B: bits(7, 0),
  T: bits(13, 8),
};

export const cheri64v9: CapabilityFormat = compressedFormat({
  name: "cheri64-v9",
  bounds,
  permissionBits: v9.architecturalPermissions,
  alwaysOnePermissions: 0n,
  otypes: v9.otypes(4n),
  transfer: "v9",
  rootMetadata: 0xfff0_0000n,
  nullMask: 0x7_c302n,
  otype: bits(18, 15),
  reserved: [],
  ...plainPermissions([{ field: bits(31, 20), at: 0n }]),
  ...modeFlag(bits(19, 19)),
  flagBits: noFlagBits,
});

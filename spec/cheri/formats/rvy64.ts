/**
 * RISC-V CHERI with 32-bit addresses (RV32Y).
 *
 * Metadata: software permissions 31:30, permissions and mode 29:25, level 24, reserved 23:21, otype 20, *no* internal
 * exponent 19, L8 18 (top bit of the length, or of the exponent), T 17:10, B 9:0.
 *
 * @source RVY, "The RV32LYA Capability Base for RV32", tables of AP encodings with Zyhybrid and Zylevels1
 */
import { bits, deposit, extract } from "../bits.js";
import type { CapabilityFormat } from "../capability.js";
import type { BoundsEncoding } from "../concentrate.js";
import { permissionMask, type Permission } from "../permissions.js";
import { compressedFormat, noFlagBits } from "./compressed.js";
import * as rvy from "./rvy.js";

const bounds: BoundsEncoding = {
  ...rvy.encoding(24n, 10n),
  addressBits: 32n,
  lowBits: 2n,
  internalFrom: 1n << 9n,
  internalFlag: { field: bits(19, 19), value: 0n },
  B: bits(9, 0),
  T: bits(17, 10),
  lengthBit: bits(18, 18),
  exception: rvy.malformed(24n, 10n, false),
};

const mask = (...words: readonly Permission[]): bigint => permissionMask(rvy.permissionBits, words);
const R = mask("load");
const W = mask("store");
const X = mask("execute");
const C = mask("load-cap");
const LM = mask("mutable-load");
const EL = mask("elevate-level");
const SL = mask("store-local");
const ASR = mask("system");

/** A set of permissions that has a code: those looked at for it, those asked for among them, and those it grants. */
const code = (quadrant: bigint, value: bigint, considered: bigint, asked: bigint, granted = asked) => ({
  code: (quadrant << 3n) | value,
  considered,
  asked,
  granted,
});

/**
 * The code of a set is the one whose `asked` equals the set among the `considered`: without X and C the level
 * permissions are not looked at, and with X neither EL nor SL is.
 */
const codes = [
  code(0n, 0n, X | ASR | C | R | W, 0n),
  code(0n, 1n, X | ASR | C | R | W, R),
  code(0n, 4n, X | ASR | C | R | W, W),
  code(0n, 5n, X | ASR | C | R | W, R | W),
  code(1n, 0n, X | ASR | R | W | C | LM, X | ASR | R | W | C | LM, X | ASR | R | W | C | LM | EL | SL),
  code(1n, 2n, X | ASR | R | W | C | LM, X | R | C | LM, X | R | C | LM | EL | SL),
  code(1n, 4n, X | ASR | R | W | C | LM, X | R | W | C | LM, X | R | W | C | LM | EL | SL),
  code(1n, 6n, X | ASR | R | W | C | LM, X | R | W),
  code(2n, 3n, X | ASR | R | W | C | LM | EL | SL, R | C),
  code(2n, 6n, X | ASR | R | W | C | LM | EL | SL, R | W | C | LM | SL),
  code(2n, 7n, X | ASR | R | W | C | LM | EL | SL, R | W | C | LM),
  code(3n, 3n, X | ASR | R | W | C | LM | EL | SL, R | C | LM | EL),
  code(3n, 6n, X | ASR | R | W | C | LM | EL | SL, R | W | C | LM | EL | SL),
  code(3n, 7n, X | ASR | R | W | C | LM | EL | SL, R | W | C | LM | EL),
];

const software = bits(31, 30);
const permissionCode = bits(29, 25);
const quadrant = bits(29, 28);
const mode = bits(25, 25);
const level = bits(24, 24);
const levelBit = mask("global");

/** Only executable capabilities have a mode: it is the lowest bit of their code. */
const hasMode = (raw: bigint): boolean => extract(quadrant, raw) === 1n;

const grantedBy = (raw: bigint): bigint => {
  const stored = extract(permissionCode, raw);
  const plain = hasMode(raw) ? stored & ~1n : stored;
  return codes.find((entry) => entry.code === plain)?.granted ?? 0n;
};

const flagsOf = (raw: bigint): bigint => (hasMode(raw) ? extract(mode, raw) : 0n);

export const rvy64: CapabilityFormat = compressedFormat({
  name: "rvy64",
  bounds,
  permissionBits: rvy.permissionBits,
  alwaysOnePermissions: 0xf8_ff00n,
  otypes: rvy.otypes,
  transfer: "rvy",
  rootMetadata: 0xd300_0000n,
  nullMask: 0n,
  otype: bits(20, 20),
  reserved: [bits(23, 21)],
  permissionsOf: (raw) =>
    grantedBy(raw) | (extract(level, raw) === 1n ? levelBit : 0n) | (extract(software, raw) << 6n),
  withPermissions: (raw, permissions) => {
    const entry = codes.find(({ considered, asked }) => (permissions & considered) === asked);
    // A set without a code loses all of it; an executable one keeps its mode.
    const chosen = entry?.code ?? 0n;
    const withCode = deposit(permissionCode, raw, chosen >> 3n === 1n ? chosen | flagsOf(raw) : chosen);
    const withLevel = deposit(level, withCode, (permissions & levelBit) === 0n ? 0n : 1n);
    return { metadata: deposit(software, withLevel, permissions >> 6n), exact: entry !== undefined };
  },
  flagsOf,
  withFlags: (raw, address, flags) => ({ metadata: hasMode(raw) ? deposit(mode, raw, flags) : raw, address }),
  flagBits: noFlagBits,
});

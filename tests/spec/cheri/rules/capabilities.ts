/** Capabilities to test the rules with. Expected values stand in the tests, from the documents and vectors. */
import {
  formats,
  permissionMask,
  permissionWords,
  type Capability,
  type CapabilityFormat,
  type FormatName,
  type Permission,
} from "../../../../spec/cheri/index.js";

export const all = Object.values(formats);

/** The formats in which a capability can be sealed with a type of one's choice. */
export const sealing = all.filter((format) => format.otypes.ordinary);

export const rvy = [formats.rvy128, formats.rvy64];

/** An object type that is neither unsealed nor reserved where the format has one, else the sentry. */
export const sealedType = (format: CapabilityFormat): bigint => (format.otypes.ordinary ? 5n : 1n);

/** Tagged, unsealed, of 0x100 bytes at 0x1000, with all permissions of the format; but for what is `changed`. */
export const capability = (
  format: CapabilityFormat,
  changed: Partial<Omit<Capability, "permissions" | "metadata">> & { readonly allow?: readonly Permission[] } = {},
): Capability => {
  const { allow = permissionWords, otype = format.otypes.unsealed, tag = true, base = 0x1000n, ...fields } = changed;
  const everything = permissionMask(format.permissionBits, permissionWords);
  const bounds = { base, top: base + 0x100n, address: base, ...fields };
  const whole = { ...bounds, tag, permissions: everything, otype: format.otypes.unsealed, flags: fields.flags ?? 0n };
  const { metadata: bounded, address, exact } = format.encode(whole);
  const permissions = permissionMask(format.permissionBits, allow);
  const limited = format.withPermissions(bounded, permissions);
  if (!exact || !limited.exact) throw new Error(`${format.name} cannot say ${JSON.stringify(allow)} or these bounds`);
  return format.decode({ metadata: format.withOtype(limited.metadata, otype), address }, tag);
};

/** A word with its tag set, as it lies in memory. */
export const word = (name: FormatName, metadata: bigint, address: bigint): Capability =>
  formats[name].decode({ metadata, address }, true);

/**
 * Words with exponent 0, and the window of 2^MW addresses at which each has the same bounds. In v9 and Morello the window
 * begins at the top three bits of B, less one; in RVY a quarter of its size below the base.
 */
export const windows = [
  {
    name: "cheri128-v9",
    metadata: 0xffff00000587461dn,
    base: 0x13d4ff8056074619n,
    length: 2n,
    start: 0x13d4ff8056073800n,
    size: 0x4000n,
  },
  { name: "cheri64-v9", metadata: 0xfaa7e2afn, base: 0xb39e11adn, length: 0x34n, start: 0xb39e1180n, size: 0x100n },
  {
    name: "morello",
    metadata: 0x2a27b4d046494cf8n,
    base: 0x3134cf8n,
    length: 0x3951n,
    start: 0x3132000n,
    size: 0x10000n,
  },
  {
    name: "rvy128",
    metadata: 0x1fff800045dc077n,
    base: 0x1cb601dffe42c077n,
    length: 0x100n,
    start: 0x1cb601dffe42b077n,
    size: 0x4000n,
  },
  { name: "rvy64", metadata: 0xd3091105n, base: 0xf854e105n, length: 0x3fn, start: 0xf854e005n, size: 0x400n },
] as const;

/**
 * Moves to the lowest or highest 2^E addresses of the window: representable, but not for the fast check (`setaddr`
 * vectors).
 */
export const edges = [
  { name: "cheri128-v9", metadata: 0xffff000002a10a7en, from: 0xa40aba9935bfa4aan, to: 0xa40aba99ffffffffn },
  { name: "cheri128-v9", metadata: 0xffff0000056470c2n, from: 0xa97972f2400c71d2n, to: 0xa97972f2400ca7ffn },
  { name: "cheri64-v9", metadata: 0xfff01ad6n, from: 0x714cfff3n, to: 0x714a0001n },
  { name: "cheri64-v9", metadata: 0xfff02303n, from: 0xfdffffc0n, to: 0xfe0001bfn },
  { name: "morello", metadata: 0xffffc00018730002n, from: 0x1165930502e65bn, to: 0x1bffffffffffffn },
  { name: "morello", metadata: 0xffffc000667f257en, from: 0x5a6abb47f25d4n, to: 0x5a6abb47fffffn },
] as const;

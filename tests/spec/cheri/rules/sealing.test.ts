/** CAP-5: sealing, unsealing, and building capabilities from bits. Each refusal alone costs the tag. */
import { expect, test } from "vitest";
import {
  andPermissions,
  buildCap,
  conditionalSeal,
  copyType,
  formats,
  getType,
  hasReservedOtype,
  isSealed,
  rootCapability,
  seal,
  sealEntry,
  setFlags,
  testSubset,
  unseal,
  type Capability,
  type CapabilityFormat,
} from "../../../../spec/cheri/index.js";
import { all, capability, rvy, sealedType, sealing, word } from "./capabilities.js";

/** Object types as the formats' documents give them. */
const types = {
  "cheri128-v9": {
    unsealed: 0x3ffffn,
    sentry: 0x3fffen,
    reserved: [0x3fffcn, 0x3fffdn, 0x3fffen, 0x3ffffn],
    free: [0n, 5n, 0x3fffbn],
  },
  "cheri64-v9": { unsealed: 0xfn, sentry: 0xen, reserved: [0xcn, 0xdn, 0xen, 0xfn], free: [0n, 5n, 0xbn] },
  morello: { unsealed: 0n, sentry: 1n, reserved: [0n, 1n, 2n, 3n], free: [4n, 5n, 0x7fffn] },
  rvy128: { unsealed: 0n, sentry: 1n, reserved: [0n, 1n], free: [] },
  rvy64: { unsealed: 0n, sentry: 1n, reserved: [0n, 1n], free: [] },
  uncompressed256: { unsealed: 0n, sentry: 1n, reserved: [0n, 1n, 2n, 3n], free: [4n, 5n, 0xffffffn] },
} as const;

test("CAP-5 sealed: every type but the unsealed one", () => {
  for (const format of all) {
    const { unsealed, reserved, free } = types[format.name];
    const judged = [...reserved, ...free].map((otype) => isSealed(format, capability(format, { otype })));
    expect(judged, format.name).toEqual([...reserved, ...free].map((otype) => otype !== unsealed));
  }
});

test("CAP-5 reserved: the types that no authority gives or takes", () => {
  for (const format of all) {
    const { reserved, free } = types[format.name];
    const judge = (otype: bigint): boolean => hasReservedOtype(format, capability(format, { otype }));
    expect(reserved.map(judge), format.name).toEqual(reserved.map(() => true));
    expect(free.map(judge), format.name).toEqual(free.map(() => false));
  }
});

test("CAP-5 cgettype: the type, of which v9 sign-extends the reserved ones", () => {
  const typeOf = (format: CapabilityFormat, otype: bigint): bigint => getType(format, capability(format, { otype }));
  expect([5n, 0x3fffen, 0x3ffffn].map((otype) => typeOf(formats["cheri128-v9"], otype))).toEqual([
    5n,
    0xffff_ffff_ffff_fffen,
    0xffff_ffff_ffff_ffffn,
  ]);
  expect([5n, 0xbn, 0xcn].map((otype) => typeOf(formats["cheri64-v9"], otype))).toEqual([5n, 0xbn, 0xffff_fffcn]);
  expect([0n, 1n, 5n].map((otype) => typeOf(formats.morello, otype))).toEqual([0n, 1n, 5n]);
});

/** Authority over the types 4 to 7, with its address at 5. */
const authority = (format: CapabilityFormat, changed: Parameters<typeof capability>[1] = {}): Capability =>
  capability(format, { base: 4n, top: 8n, address: 5n, allow: ["seal", "unseal", "global"], ...changed });

/** Authorities for type 5 that lack one thing. */
const refused = (format: CapabilityFormat, permission: "seal" | "unseal"): readonly Capability[] => [
  authority(format, { tag: false }),
  authority(format, { otype: 6n }),
  authority(format, { allow: permission === "seal" ? ["unseal", "global"] : ["seal", "global"] }),
  authority(format, { base: 6n }),
  authority(format, { top: 5n }),
];

test("CAP-5 cseal: authority over the type, and only over ordinary ones", () => {
  for (const format of sealing) {
    const object = capability(format);
    expect(seal(format, object, authority(format)), format.name).toEqual(capability(format, { otype: 5n }));
    const untagged = capability(format, { otype: 5n, tag: false });
    for (const weak of refused(format, "seal")) {
      expect(seal(format, object, weak), format.name).toEqual(untagged);
    }
    expect(seal(format, capability(format, { otype: 6n }), authority(format)), format.name).toEqual(untagged);
    expect(seal(format, { ...object, tag: false }, authority(format)), format.name).toEqual(untagged);
    // Reserved types, and numbers that the field cannot hold.
    const { reserved, free } = types[format.name];
    const everything = rootCapability(format);
    for (const address of [...reserved, 0x1000_0005n]) {
      expect(seal(format, object, { ...everything, address }).tag, format.name).toBe(false);
    }
    for (const address of free) {
      const sealed = { tag: true, otype: address };
      expect(seal(format, object, { ...everything, address }), format.name).toMatchObject(sealed);
    }
  }
  for (const format of rvy) {
    expect(seal(format, capability(format), { ...rootCapability(format), address: 1n }).tag, format.name).toBe(false);
  }
});

test("CAP-5 ccseal: passes through what the authority is not meant for", () => {
  for (const format of sealing) {
    const object = capability(format);
    expect(conditionalSeal(format, object, authority(format)), format.name).toEqual(capability(format, { otype: 5n }));
    const sealed = capability(format, { otype: 6n });
    const everything = rootCapability(format);
    for (const [from, by] of [
      [object, authority(format, { tag: false })],
      [object, authority(format, { base: 6n })],
      [object, authority(format, { top: 5n })],
      [object, { ...everything, address: (1n << format.addressBits) - 1n }],
      [sealed, authority(format)],
      [sealed, authority(format, { otype: 6n })],
    ] as const) {
      expect(conditionalSeal(format, from, by), format.name).toEqual(from);
    }
    for (const by of [
      authority(format, { otype: 6n }),
      authority(format, { allow: ["unseal"] }),
      { ...everything, address: types[format.name].sentry },
    ]) {
      expect(conditionalSeal(format, object, by).tag, format.name).toBe(false);
    }
  }
});

test("CAP-5 cunseal: authority over the type it has; Global only where both have it", () => {
  for (const format of sealing) {
    const sealed = capability(format, { otype: 5n });
    const open = capability(format);
    const global = format.permissionBits.global ?? 0n;
    expect(unseal(format, sealed, authority(format)), format.name).toEqual(open);
    const local = unseal(format, sealed, authority(format, { allow: ["unseal"] }));
    expect(local, format.name).toMatchObject({ tag: true, permissions: open.permissions & ~global });
    for (const weak of refused(format, "unseal")) {
      expect(unseal(format, sealed, weak), format.name).toEqual({ ...open, tag: false });
    }
    for (const otype of [6n, types[format.name].sentry, types[format.name].unsealed]) {
      expect(unseal(format, capability(format, { otype }), authority(format)).tag, format.name).toBe(false);
    }
    // A sentry, though the authority's address is its type.
    const { sentry } = types[format.name];
    const everything = { ...rootCapability(format), address: sentry };
    expect(unseal(format, capability(format, { otype: sentry }), everything).tag, format.name).toBe(false);
  }
});

test("CAP-5 csealentry: any unsealed capability becomes a sentry", () => {
  for (const format of all) {
    const { sentry } = types[format.name];
    const data = capability(format, { allow: ["load"] });
    expect(sealEntry(format, data), format.name).toEqual(capability(format, { allow: ["load"], otype: sentry }));
    const again = sealEntry(format, capability(format, { otype: sealedType(format) }));
    expect(again, format.name).toEqual(capability(format, { otype: sentry, tag: false }));
  }
});

test("CAP-5 cbuildcap: tags the bits that the authority could have derived", () => {
  for (const format of all) {
    const { sentry } = types[format.name];
    const bits = capability(format, { tag: false, allow: ["load", "store", "execute"] });
    const by = capability(format);
    expect(buildCap(format, by, bits), format.name).toEqual({ ...bits, tag: true });
    const entry = capability(format, { tag: false, otype: sentry });
    expect(buildCap(format, by, entry), format.name).toEqual({ ...entry, tag: true });
    const typed = capability(format, { tag: false, otype: sealedType(format) });
    const open = { tag: true, otype: format.otypes.ordinary ? types[format.name].unsealed : sentry };
    expect(buildCap(format, by, typed), format.name).toMatchObject(open);
    for (const [weak, wanted] of [
      [{ ...by, tag: false }, bits],
      [capability(format, { otype: sentry }), bits],
      [capability(format, { allow: ["store"] }), bits],
      [by, capability(format, { base: 0xff0n, top: 0x1010n })],
      [by, capability(format, { base: 0x10f0n, top: 0x1110n })],
    ] as const) {
      expect(buildCap(format, weak, wanted), format.name).toEqual({ ...wanted, tag: false });
    }
  }
  // A reserved bit; an exponent of 53, which reads as 52 but which no instruction writes.
  for (const metadata of [0xffff_4000_0000_0000n, 0xffff_0000_0000_0001n]) {
    const odd = word("cheri128-v9", metadata, 0n);
    expect(odd).toMatchObject({ base: 0n, top: 1n << 64n });
    expect(buildCap(formats["cheri128-v9"], rootCapability(formats["cheri128-v9"]), odd).tag).toBe(false);
  }
  expect(buildCap(formats.rvy64, rootCapability(formats.rvy64), word("rvy64", 0xd320_0000n, 0n)).tag).toBe(false);
});

test("CAP-5 cbuildcap, without Execute: a mode of 0 in rvy128 is derivable", () => {
  // YMODEW sets mode 0 while there is Execute, YPERMC then drops Execute and leaves the mode (perms vectors).
  const format = formats.rvy128;
  const data = word("rvy128", 0x0000_0800_0000_0000n | (1n << 46n), 0n);
  expect(data).toMatchObject({ base: 0n, top: 1n << 64n, permissions: 0x40010n, flags: 0n });
  const { permissions } = data;
  const derived = andPermissions(format, setFlags(format, rootCapability(format), 0n), permissions);
  expect(derived).toEqual(data);
  expect(buildCap(format, rootCapability(format), { ...data, tag: false })).toEqual(data);
});

test("CAP-5 ctestsubset: bounds and permissions within, tags equal; sealing does not matter", () => {
  for (const format of all) {
    const outer = capability(format);
    const inner = capability(format, { base: 0x1010n, top: 0x1020n, allow: ["load"] });
    expect(testSubset(format, outer, inner), format.name).toBe(true);
    expect(testSubset(format, outer, outer), format.name).toBe(true);
    expect(testSubset(format, { ...outer, tag: false }, { ...inner, tag: false }), format.name).toBe(true);
    const sealed = capability(format, { otype: sealedType(format) });
    expect(testSubset(format, outer, sealed), format.name).toBe(true);
    for (const [one, other] of [
      [inner, outer],
      [outer, { ...inner, tag: false }],
      [{ ...outer, tag: false }, inner],
      [outer, capability(format, { base: 0xff0n, top: 0x1010n })],
      [outer, capability(format, { base: 0x10f0n, top: 0x1110n })],
      [inner, capability(format, { base: 0x1010n, top: 0x1020n, allow: ["store"] })],
    ] as const) {
      expect(testSubset(format, one, other), format.name).toBe(false);
    }
  }
  // Stored exponents above the largest one: malformed in RVY (E = 52 - 63), in Morello (E = 63 - 8 = 55) out of range.
  const malformed = word("rvy128", (7n << 14n) | 7n, 0n);
  expect(testSubset(formats.rvy128, malformed, malformed)).toBe(false);
  const outOfRange = word("morello", 1n << 16n, 0n);
  expect(testSubset(formats.morello, outOfRange, outOfRange)).toBe(false);
});

test("CAP-5 ccopytype: the type becomes the key's address; a reserved one costs the tag", () => {
  for (const format of sealing) {
    const key = capability(format, { base: 4n, top: 8n });
    const typed = capability(format, { otype: 5n });
    expect(copyType(format, key, typed), format.name).toEqual({ ...key, address: 5n });
    // The type may lie outside the key's bounds as long as it is representable.
    const beside = capability(format, { base: 8n, top: 0x10n });
    expect(copyType(format, beside, typed), format.name).toEqual({ ...beside, address: 5n });
    const sealed = capability(format, { base: 4n, top: 8n, otype: 6n });
    expect(copyType(format, sealed, typed), format.name).toEqual({ ...sealed, address: 5n, tag: false });
    // Unsealed gives address -1.
    const none = copyType(format, key, capability(format));
    expect(none, format.name).toMatchObject({ tag: false, address: (1n << format.addressBits) - 1n });
  }
  const sentries = [formats["cheri128-v9"], formats["cheri64-v9"], formats.morello].map((format) =>
    copyType(format, rootCapability(format), capability(format, { otype: types[format.name].sentry })),
  );
  expect(sentries.map(({ address }) => address)).toEqual([0xffff_ffff_ffff_fffen, 0xffff_fffen, 1n]);
  expect(sentries.map(({ tag }) => tag)).toEqual([false, false, false]);
});

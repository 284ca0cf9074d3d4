/** CAP-4: which permissions a capability keeps, and what it shows of them. Numberings are those of the vectors. */
import { expect, test } from "vitest";
import {
  andPermissions,
  formats,
  getPermissions,
  legalisePermissions,
  nullCapability,
  rootCapability,
} from "../../../../spec/cheri/index.js";
import { all, capability, sealedType } from "./capabilities.js";

test("CAP-4 cgetperm: the permissions, and on RVY the bits that always read as one", () => {
  const expected = {
    "cheri128-v9": [0n, 0x78fffn],
    "cheri64-v9": [0n, 0xfffn],
    morello: [0n, 0x3ffffn],
    rvy128: [0xf8fc00n, 0xffffffn],
    rvy64: [0xf8ff00n, 0xffffffn],
    uncompressed256: [0n, 0x78fffn],
  };
  for (const format of all) {
    const shown = [nullCapability(format), rootCapability(format)].map((one) => getPermissions(format, one));
    expect(shown, format.name).toEqual(expected[format.name]);
  }
});

test("CAP-4 candperm: the intersection as far as it can be encoded, never more than there was", () => {
  for (const format of all) {
    const load = format.permissionBits.load ?? 0n;
    const object = capability(format);
    const { base, top, address } = object;
    const reader = { tag: true, permissions: load, base, top, address };
    expect(andPermissions(format, object, load), format.name).toMatchObject(reader);
    const nothing = andPermissions(format, andPermissions(format, object, load), ~load);
    expect(nothing, format.name).toMatchObject({ tag: true, permissions: 0n });
    const sealed = capability(format, { otype: sealedType(format) });
    expect(andPermissions(format, sealed, load), format.name).toMatchObject({ tag: false, permissions: load });
  }
  // rvy64 (bits: W 1, LM 2, EL 4, SL 8, level 0x10, C 0x20, user 0xc0, ASR 0x10000, X 0x20000, R 0x40000).
  const kept = (mask: bigint) => andPermissions(formats.rvy64, rootCapability(formats.rvy64), mask).permissions;
  expect(kept(0xfffff9n)).toBe(0xd0n); // no encoding: only level and software permissions stay
  expect(kept(0xfbffc0n)).toBe(0xc0n);
  expect(kept(0xfcffd4n)).toBe(0x400d0n); // without X and C, EL is lost with no word
  expect(kept(0xfffff7n)).toBe(0x700ffn); // with X and C, SL cannot be cleared alone
  expect(kept(0xfeffebn)).toBe(0x600efn); // nor EL
  // rvy128 has a word for each set, legal or not.
  const wide = andPermissions(formats.rvy128, rootCapability(formats.rvy128), 0x20006n);
  expect(wide).toMatchObject({ tag: true, permissions: 0x20006n });
});

test("CAP-4 legalise: a permission goes with those that it needs", () => {
  const wide = [
    [0x703ffn, 0x703ffn], // all
    [0x20n, 0n], // C needs R or W
    [0x21n, 0x21n],
    [0x2an, 0n], // LM needs C and R, SL C and W; C goes first
    [0x2bn, 0x29n],
    [0x40026n, 0x40026n], // LM and EL stay with R and C
    [0x10000n, 0n], // ASR needs X
    [0x3001fn, 0x30011n],
  ] as const;
  const compressed = [
    [0x700ffn, 0x700ffn],
    [0x21n, 0x1n], // C needs R
    [0x20001n, 0x1n], // X needs R
    [0x40021n, 0x40020n], // W with C needs LM
    [0x60000n, 0x40000n], // X needs W or C
    [0x40002n, 0x40000n], // LM needs C
    [0x40022n, 0x40020n], // LM needs W or EL
    [0x40024n, 0x40020n], // EL needs LM
    [0x40028n, 0x40020n], // SL needs LM and W
    [0x60023n, 0x40023n], // X needs all of C LM EL SL, or none of them
    [0x70001n, 0x60001n], // ASR needs W, C and X
  ] as const;
  for (const [set, legal] of wide) expect(legalisePermissions("rvy128", set), set.toString(16)).toBe(legal);
  for (const [set, legal] of compressed) expect(legalisePermissions("rvy64", set), set.toString(16)).toBe(legal);
});

/** MEM-1, MEM-3, MEM-6: who may load and store. Each ladder mends, step by step, the first thing that is wrong. */
import { expect, test } from "vitest";
import {
  afterLoad,
  beforeStore,
  checkLoad,
  checkLoadCap,
  checkLoadTags,
  checkStore,
  checkStoreCap,
  checkStoredTag,
  formats,
  inBounds,
  permissionMask,
  rootCapability,
  setAddress,
  type Capability,
  type CapabilityFormat,
  type Check,
  type Permission,
  type TrapCause,
} from "../../../../spec/cheri/index.js";
import { all, capability, rvy, sealedType } from "./capabilities.js";

const trapping = all.filter((format) => format.transfer !== "rvy");

const trap = (cause: TrapCause): Check => ({ trap: cause, operand: "cs1" });

interface Ladder {
  readonly check: (format: CapabilityFormat, authority: Capability, address: bigint) => Check;
  /** Sets of permissions that do not suffice, with the trap that each gives. */
  readonly lacking: readonly (readonly [allow: readonly Permission[], cause: TrapCause])[];
  readonly sufficient: readonly Permission[];
  readonly size: (format: CapabilityFormat) => bigint;
  readonly aligned: boolean;
}

/**
 * An access that fails in every way names the first, and so on down to one that is allowed. The bounds are [0x1000,
 * 0x1400).
 */
const climb = (format: CapabilityFormat, { check, lacking, sufficient, size, aligned }: Ladder): void => {
  const of = (allow: readonly Permission[], changed: Partial<Capability> = {}): Capability =>
    capability(format, { top: 0x1400n, allow, ...changed });
  const outside = 0x13ffn;
  const none = lacking[0]?.[0] ?? [];
  const otype = sealedType(format);
  const steps: readonly (readonly [Capability, bigint, Check])[] = [
    [of(none, { otype, tag: false }), outside, trap("tag")],
    [of(none, { otype }), outside, trap("seal")],
    ...lacking.map(([allow, cause]) => [of(allow), outside, trap(cause)] as const),
    [of(sufficient), outside, trap("bounds")],
    [of(sufficient), 0xfffn, trap("bounds")],
    [of(sufficient), 0x1001n, aligned ? trap("align") : undefined],
    [of(sufficient), 0x1400n - size(format), undefined],
    [of(sufficient), 0x1000n, undefined],
  ];
  for (const [authority, address, expected] of steps) {
    expect(check(format, authority, address), `${format.name} 0x${address.toString(16)}`).toEqual(expected);
  }
};

const word = () => 4n;
const granule = (format: CapabilityFormat): bigint => format.granule;

const loads: Ladder = {
  check: (format, authority, address) => checkLoad(format, authority, address, 4n),
  lacking: [
    [[], "perm-load"],
    [["store"], "perm-load"],
  ],
  sufficient: ["load"],
  size: word,
  aligned: false,
};

const stores: Ladder = {
  check: (format, authority, address) => checkStore(format, authority, address, 4n),
  lacking: [
    [[], "perm-store"],
    [["load"], "perm-store"],
  ],
  sufficient: ["store"],
  size: word,
  aligned: false,
};

test("MEM-1 ladder: tag, seal, permission, bounds, and the first that fails names the trap", () => {
  for (const format of all) {
    climb(format, loads);
    climb(format, stores);
  }
  // On Morello the flag bits of the address do not matter.
  const { morello } = formats;
  const flagged = setAddress(morello, capability(morello), 0xab00_0000_0000_1040n);
  expect(checkLoad(morello, flagged, flagged.address, 8n)).toBeUndefined();
  expect(checkLoad(morello, flagged, 0xab00_0000_0000_10f9n, 8n)).toEqual(trap("bounds"));
});

test("MEM-1 load: Load is enough, and integers need not be aligned", () => {
  for (const format of all) climb(format, loads);
});

test("MEM-1 store: Store is enough, and integers need not be aligned", () => {
  for (const format of all) climb(format, stores);
});

test("MEM-1 load-cap: a whole aligned granule; Load-Capability is not asked for", () => {
  for (const format of all) {
    climb(format, { ...loads, check: checkLoadCap, size: granule, aligned: true });
  }
});

test("MEM-1 store-cap: the permissions for a tagged value come before bounds and alignment", () => {
  for (const format of all) {
    const untagged = capability(format, { tag: false, allow: ["load"] });
    climb(format, {
      ...stores,
      check: (_, authority, address) => checkStoreCap(format, authority, address, untagged),
      size: granule,
      aligned: true,
    });
  }
  for (const format of trapping) {
    const local = capability(format, { allow: ["load"] });
    climb(format, {
      check: (_, authority, address) => checkStoreCap(format, authority, address, local),
      lacking: [
        [[], "perm-store"],
        [["store-cap", "store-local"], "perm-store"],
        [["store", "store-local"], "perm-store-cap"],
        [["store", "store-cap"], "perm-store-local"],
      ],
      sufficient: ["store", "store-cap", "store-local"],
      size: granule,
      aligned: true,
    });
  }
});

test("MEM-1 in-bounds: the whole access lies within, and does not wrap", () => {
  for (const format of all) {
    const object = capability(format);
    const judge = ([address, size]: readonly [bigint, bigint]): boolean => inBounds(object, address, size);
    const inside = [
      [0x1000n, 0x100n],
      [0x10ffn, 1n],
      [0x1100n, 0n],
    ] as const;
    const outside = [
      [0xfffn, 1n],
      [0x1100n, 1n],
      [0x10ffn, 2n],
      [0xfffn, 0x102n],
    ] as const;
    expect(inside.map(judge), format.name).toEqual([true, true, true]);
    expect(outside.map(judge), format.name).toEqual([false, false, false, false]);
    const last = (1n << format.addressBits) - 1n;
    const root = rootCapability(format);
    expect([inBounds(root, last, 1n), inBounds(root, last, 2n)], format.name).toEqual([true, false]);
  }
});

test("MEM-3 store-trap: v9 and Morello trap where a tag may not be stored", () => {
  for (const format of trapping) {
    const global = capability(format, { allow: ["load", "global"] });
    const local = capability(format, { allow: ["load"] });
    const expected = [
      [["store"], global, trap("perm-store-cap")],
      [["store"], local, trap("perm-store-cap")],
      [["store", "store-local"], local, trap("perm-store-cap")],
      [["store", "store-cap"], global, undefined],
      [["store", "store-cap"], local, trap("perm-store-local")],
      [["store", "store-cap", "store-local"], local, undefined],
      [["store"], { ...local, tag: false }, undefined],
    ] as const;
    for (const [allow, value, check] of expected) {
      expect(checkStoredTag(format, capability(format, { allow }), value), format.name).toEqual(check);
    }
  }
  for (const format of rvy) {
    const global = capability(format, { allow: ["load", "global"] });
    expect(checkStoredTag(format, capability(format, { allow: ["store"] }), global), format.name).toBeUndefined();
  }
});

test("MEM-3 store: RVY stores without the tag what v9 and Morello would refuse", () => {
  for (const format of rvy) {
    const global = capability(format, { allow: ["load", "global"] });
    const local = capability(format, { allow: ["load"] });
    const withC = ["load", "store", "load-cap", "mutable-load"] as const;
    const expected = [
      [["store"], global, false],
      [withC, global, true],
      [withC, local, false],
      [[...withC, "store-local"], local, true],
      [[...withC, "store-local"], { ...local, tag: false }, false],
    ] as const;
    for (const [allow, value, tag] of expected) {
      expect(beforeStore(format, capability(format, { allow }), value), format.name).toEqual({ ...value, tag });
    }
  }
  for (const format of trapping) {
    const local = capability(format, { allow: ["load"] });
    expect(beforeStore(format, capability(format, { allow: ["store"] }), local), format.name).toEqual(local);
  }
});

/** What is loaded keeps, through an authority with these permissions, those. Nothing else may change. */
const expectLoaded = (
  format: CapabilityFormat,
  through: readonly Permission[],
  loaded: Capability,
  keeps: readonly Permission[],
): void => {
  const kept = { tag: true, permissions: permissionMask(format.permissionBits, keeps) };
  const { base, top, address, otype } = loaded;
  expect(afterLoad(format, capability(format, { allow: through }), loaded), format.name).toMatchObject({
    ...kept,
    ...{ base, top, address, otype },
  });
};

test("MEM-3 load: without Load-Capability no tag; without MutableLoad or EL, fewer permissions", () => {
  for (const format of all) {
    const loaded = capability(format);
    expect(afterLoad(format, capability(format, { allow: ["load"] }), loaded), format.name).toEqual({
      ...loaded,
      tag: false,
    });
    expect(afterLoad(format, capability(format), loaded), format.name).toEqual(loaded);
  }
  const reader = ["load", "load-cap"] as const;
  for (const name of ["cheri128-v9", "cheri64-v9", "uncompressed256"] as const) {
    const loaded = capability(formats[name]);
    expect(afterLoad(formats[name], capability(formats[name], { allow: reader }), loaded), name).toEqual(loaded);
  }
  // Morello: Store, Store-Capability, Store-Local and MutableLoad go, unless it is sealed.
  const { morello } = formats;
  const writer = ["load", "store", "load-cap", "store-cap", "store-local", "mutable-load", "global"] as const;
  expectLoaded(morello, reader, capability(morello, { allow: writer }), ["load", "load-cap", "global"]);
  expectLoaded(morello, reader, capability(morello, { allow: writer, otype: 5n }), writer);
  expectLoaded(morello, [...reader, "mutable-load"], capability(morello, { allow: writer }), writer);
  // rvy128: W and LM go without LM, the level and EL without EL; of a sealed one only the level.
  const { rvy128, rvy64 } = formats;
  const full = [...writer, "elevate-level"] as const;
  const elevated = [...reader, "elevate-level"] as const;
  const mutable = [...reader, "mutable-load"] as const;
  const readOnly = ["load", "load-cap", "store-local", "global", "elevate-level"] as const;
  expectLoaded(rvy128, elevated, capability(rvy128, { allow: full }), readOnly);
  expectLoaded(rvy128, mutable, capability(rvy128, { allow: full }), [
    "load",
    "store",
    "load-cap",
    "store-local",
    "mutable-load",
  ]);
  expectLoaded(rvy128, reader, capability(rvy128, { allow: full }), ["load", "load-cap", "store-local"]);
  const withoutLevel = full.filter((permission) => permission !== "global");
  expectLoaded(rvy128, reader, capability(rvy128, { allow: full, otype: 1n }), withoutLevel);
  // rvy64 has words for fewer sets: R W C LM becomes R C.
  const plain = ["load", "store", "load-cap", "mutable-load"] as const;
  expectLoaded(rvy64, reader, capability(rvy64, { allow: [...plain, "global"] }), reader);
  expectLoaded(rvy64, plain, capability(rvy64, { allow: full }), [...plain, "store-local"]);
});

test("MEM-6 check: Load, then Load-Capability, then four granules in bounds and aligned to all four", () => {
  for (const format of all) {
    climb(format, {
      check: checkLoadTags,
      lacking: [
        [[], "perm-load"],
        [["load"], "perm-load-cap"],
      ],
      sufficient: ["load", "load-cap"],
      size: () => 4n * format.granule,
      aligned: true,
    });
    const authority = capability(format, { allow: ["load", "load-cap"] });
    expect(checkLoadTags(format, authority, 0x1000n + format.granule), format.name).toEqual(trap("align"));
  }
});

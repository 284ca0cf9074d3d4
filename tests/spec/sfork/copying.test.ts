/** MEM-5: cmemcpy as a step. */
import { expect, test } from "vitest";
import {
  after,
  by,
  candperm,
  cap,
  ccleartag,
  cincoffset,
  cmemcpy,
  csetbounds,
  fork,
  int,
  last,
  load,
  loadcap,
  mprotect,
  nothing,
  r,
  seen,
  store,
  storecap,
  trap,
  worlds,
} from "./programs.js";

test("MEM-5 cmemcpy: as if the whole source were read first, in granules or bytes, and checked before it writes", () => {
  for (const { name, config, machine, g, at } of worlds()) {
    // Pointers to the first 0x10 and 0x40 bytes of data, in the first two granules.
    const pointers = after(
      machine,
      by(0, csetbounds(8, 1, 0x10n), csetbounds(9, 1, 0x40n), storecap(8, 0n, 1), storecap(9, g, 1)),
      by(0, store("b", 7n, 2n * g, 1)),
    );
    // Onto the granule behind it: an overlap.
    const overlapped = by(0, cincoffset(10, 1, g), cmemcpy(10, 1, 2n * g + 1n));
    expect(last(pointers, overlapped), name).toEqual(nothing);
    const moved = after(pointers, overlapped);
    expect(seen(moved, 0, loadcap(11, g, 1), loadcap(11, 2n * g, 1), load("b", 11, 3n * g, 1)), name).toMatchObject([
      cap({ tag: true, base: at(0), top: at(0, 0x10n) }),
      cap({ tag: true, base: at(0), top: at(0, 0x40n) }),
      int(7n),
    ]);
    // What lies otherwise within its granule moves as bytes, and clears tags.
    const shifted = after(moved, by(0, cincoffset(10, 1, g + 1n), cmemcpy(10, 1, g)));
    expect(seen(shifted, 0, loadcap(11, g, 1), loadcap(11, 2n * g, 1)), name).toMatchObject([
      cap({ tag: false }),
      cap({ tag: false }),
    ]);
    const words = (from: bigint) => [load("w", 11, from, 1), load("w", 11, from + g - 4n, 1)];
    expect(seen(shifted, 0, ...words(g + 1n)), name).toEqual(seen(moved, 0, ...words(0n)));
    // In a child what arrives points to the child's memory.
    const forked = after(pointers, by(0, fork(7)));
    expect(
      seen(forked, 1, cincoffset(10, 1, 0x200n), cmemcpy(10, 1, g), loadcap(11, 0x200n, 1)).at(-1),
      name,
    ).toMatchObject(cap({ tag: true, base: at(1), top: at(1, 0x10n) }));
    // Through a source without Load-Capability: untagged, and raw.
    const blind = last(
      forked,
      by(1, candperm(12, 1, "load"), cincoffset(10, 1, 0x200n), cmemcpy(10, 12, g), loadcap(11, 0x200n, 1)),
    );
    const relocated = cap({ tag: false, address: at(1) });
    expect(blind, name).toMatchObject(config.strategy === "copa" ? cap({ tag: false, address: 0n }) : relocated);
    // The source is checked first, with its pages, then the destination; nothing is written.
    const prepared = after(
      pointers,
      by(0, ccleartag(12, 1), candperm(13, 1, "load"), cincoffset(14, 1, 0x200n), cincoffset(15, 1, 0x180n)),
    );
    expect(last(prepared, by(0, cmemcpy(12, 12, g))), name).toEqual(trap("tag", "cs2"));
    expect(last(prepared, by(0, cmemcpy(12, 1, g))), name).toEqual(trap("tag"));
    expect(last(prepared, by(0, cmemcpy(13, 1, g))), name).toEqual(trap("perm-store"));
    expect(last(prepared, by(0, cmemcpy(12, 14, 0x201n))), name).toEqual(trap("bounds", "cs2"));
    expect(last(prepared, by(0, cmemcpy(14, 1, 0x201n))), name).toEqual(trap("bounds"));
    const unreadable = after(prepared, by(0, mprotect(14, 0x100n, { read: false, write: true, execute: false })));
    expect(last(unreadable, by(0, cmemcpy(12, 14, g))), name).toEqual(trap("page-read", "cs2"));
    const unwritable = after(prepared, by(0, mprotect(14, 0x100n, r)));
    const onto = by(0, cmemcpy(15, 1, 0x81n));
    expect(last(unwritable, onto), name).toEqual(trap("page-write"));
    expect(after(unwritable, onto), name).toBe(unwritable);
    // Segments hold no tags; bytes they take.
    expect(last(prepared, by(0, cmemcpy(6, 1, g))), name).toEqual(trap("page-store-cap"));
    expect(last(prepared, by(0, cmemcpy(6, 1, g - 1n))), name).toEqual(nothing);
    // No bytes: everything but bounds and pages.
    expect(last(prepared, by(0, cmemcpy(12, 1, 0n))), name).toEqual(trap("tag"));
    expect(last(unwritable, by(0, cmemcpy(14, 1, 0n))), name).toEqual(nothing);
  }
});

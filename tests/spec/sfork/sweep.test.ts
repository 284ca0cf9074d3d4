/** REUSE-1, REUSE-3: when memory ends, nothing that points to it stays tagged. */
import { expect, test } from "vitest";
import { formats, type Capability, type CapabilityFormat } from "../../../spec/cheri/index.js";
import { meets } from "../../../spec/sfork/relocate.js";
import { capability, sealedType } from "../cheri/rules/capabilities.js";
import {
  after,
  by,
  cap,
  channel,
  cincoffset,
  countersOf,
  csetbounds,
  exit,
  fork,
  int,
  last,
  load,
  loadcap,
  mmap,
  munmap,
  nothing,
  r,
  mprotect,
  recvcap,
  registerOf,
  seen,
  sendcap,
  store,
  storecap,
  worlds,
} from "./programs.js";

test("REUSE-1 meets: bounds decide, not rights or the address; no bytes count at both ends", () => {
  const range = { start: 0x1100n, end: 0x1200n };
  const of = (format: CapabilityFormat, base: bigint, top: bigint, changed: Partial<Capability> = {}): Capability =>
    capability(format, { base, top, address: base, ...changed, allow: ["load"] });
  for (const format of Object.values(formats)) {
    const { name } = format;
    const hit = [
      of(format, 0x1100n, 0x1200n),
      of(format, 0x1140n, 0x1150n),
      of(format, 0x1000n, 0x1300n),
      of(format, 0x10f0n, 0x1101n),
      of(format, 0x11ffn, 0x1210n),
      of(format, 0x1100n, 0x1100n),
      of(format, 0x1180n, 0x1180n),
      of(format, 0x1200n, 0x1200n),
      of(format, 0x11f0n, 0x1200n, { address: 0x1200n }),
      of(format, 0x1140n, 0x1150n, { otype: sealedType(format) }),
      capability(format, { base: 0x1100n, allow: [] }),
    ];
    for (const one of hit) expect(meets(format, one, range), `${name} ${one.base.toString(16)}`).toBe(true);
    const missed = [
      of(format, 0x1000n, 0x1100n),
      of(format, 0x10f0n, 0x1100n, { address: 0x1100n }),
      of(format, 0x1200n, 0x1300n),
      of(format, 0x10ffn, 0x10ffn),
      of(format, 0x1201n, 0x1201n),
      of(format, 0x1140n, 0x1150n, { tag: false }),
      // Numbers of object types are no addresses.
      ...(format.otypes.ordinary ? [capability(format, { base: 0x1100n, allow: ["seal"] })] : []),
    ];
    for (const one of missed) expect(meets(format, one, range), `${name} ${one.base.toString(16)}`).toBe(false);
  }
});

test("REUSE-1 sweep: what is unmapped is gone from registers, memory and messages, its owner's and others'", () => {
  for (const { name, machine, at } of worlds()) {
    // Two pages, of which the first will go. Pointers: c9 to it, c10 to the other, c11 empty at the border.
    const mapped = after(
      machine,
      by(0, mmap(8, 0x200n), csetbounds(9, 8, 0x40n), cincoffset(10, 8, 0x100n), csetbounds(10, 10, 0x40n)),
      by(0, csetbounds(11, 10, 0n), storecap(9, 0n, 1), storecap(10, 0x20n, 1), csetbounds(12, 8, 0x100n)),
      by(0, channel, channel, fork(7), sendcap(0, 9), sendcap(1, 9), sendcap(1, 10)),
      by(1, recvcap(13, 0), storecap(13, 0x40n, 1)),
    );
    expect(registerOf(mapped, 1, 13), name).toMatchObject({ tag: true, base: at(0, 0x400n) });
    expect(last(mapped, by(0, munmap(12, 0x100n))), name).toEqual(nothing);
    const swept = after(mapped, by(0, munmap(12, 0x100n)));
    const tags = (thread: number) => swept.threads[thread]?.registers.slice(8, 13).map(({ tag }) => tag);
    expect(tags(0), name).toEqual([false, false, true, false, false]);
    expect(seen(swept, 0, loadcap(14, 0n, 1), loadcap(14, 0x20n, 1)), name).toMatchObject([
      cap({ tag: false, address: at(0, 0x400n), base: at(0, 0x400n) }),
      cap({ tag: true, base: at(0, 0x500n) }),
    ]);
    expect(registerOf(swept, 1, 13), name).toMatchObject({ tag: false });
    expect(last(swept, by(1, loadcap(14, 0x40n, 1))), name).toMatchObject(cap({ tag: false, base: at(0, 0x400n) }));
    expect(swept.channels, name).toMatchObject([{ messages: [] }, { messages: [{ tag: false }, { tag: true }] }]);
    // The child's own memory is its own: registers and memory stay.
    expect(tags(1), name).toEqual([true, true, true, true, true]);
    expect(last(swept, by(1, loadcap(14, 0n, 1))), name).toMatchObject(cap({ tag: true, base: at(1, 0x400n) }));
  }
});

test("REUSE-3 frames: a pointer inside its frame's home is its mapper's, and lives on when the home ends", () => {
  for (const { name, machine, at } of worlds()) {
    // Process 1 writes into its page, so that the frame is at home with it, and forks process 2, which resolves nothing.
    const family = after(
      machine,
      by(0, channel, fork(7)),
      by(1, csetbounds(8, 1, 0x40n), storecap(8, 0x20n, 1), sendcap(0, 8), fork(7)),
      by(0, recvcap(8, 0), storecap(8, 0x20n, 1)),
    );
    expect(last(family, by(0, loadcap(9, 0x20n, 1))), name).toMatchObject(cap({ tag: true, base: at(1) }));
    const ended = after(family, by(1, exit(0n)));
    // Process 0's pointer to process 1 is dead, in its memory, too.
    expect(registerOf(ended, 0, 8), name).toMatchObject({ tag: false });
    expect(last(ended, by(0, loadcap(9, 0x20n, 1))), name).toMatchObject(cap({ tag: false, base: at(1) }));
    // Process 2's is to its own memory, also with the slot in use again.
    const reused = after(ended, by(0, fork(7)));
    expect(reused.processes[3], name).toMatchObject({ slot: 1 });
    for (const later of [ended, reused, after(reused, by(3, exit(0n)))]) {
      expect(last(later, by(2, loadcap(9, 0x20n, 1))), name).toMatchObject(
        cap({ tag: true, base: at(2), top: at(2, 0x40n) }),
      );
    }
  }
});

test("REUSE-3 own-pages: a page whose image points to what is unmapped becomes the process's own and is cleared", () => {
  for (const { name, config, machine, at } of worlds()) {
    // Pages 0 and 1 hold pointers to the mapping, page 2 holds another; page 1 is read-only.
    const forked = after(
      machine,
      by(0, mmap(8, 0x100n), storecap(8, 0x20n, 1), storecap(8, 0x120n, 1), storecap(1, 0x220n, 1)),
      by(0, store("b", 3n, 0x80n, 1), cincoffset(9, 1, 0x100n), mprotect(9, 0x100n, r), fork(7)),
    );
    const unmapped = after(forked, by(1, munmap(8, 0x100n)));
    const loads = [loadcap(10, 0x20n, 1), loadcap(10, 0x120n, 1), loadcap(10, 0x220n, 1)] as const;
    expect(seen(unmapped, 1, ...loads), name).toMatchObject([
      cap({ tag: false, address: at(1, 0x400n) }),
      cap({ tag: false, address: at(1, 0x400n) }),
      cap({ tag: true, base: at(1) }),
    ]);
    expect(last(unmapped, by(1, load("b", 10, 0x80n, 1))), name).toEqual(int(3n));
    // The parent's still mean the parent's memory, which is there.
    expect(seen(unmapped, 0, ...loads, load("b", 10, 0n, 8)), name).toMatchObject([
      cap({ tag: true, base: at(0, 0x400n) }),
      cap({ tag: true, base: at(0, 0x400n) }),
      cap({ tag: true, base: at(0) }),
      int(0n),
    ]);
    // Two pages were made its own, as by writes; the third, and the others, were not.
    const lazy = config.strategy === "eager" ? 0 : 2;
    expect(countersOf(unmapped, 1), name).toMatchObject({ faults: lazy, copies: lazy === 0 ? 7 : lazy });
    // The other way round: the parent's pages are split, the child's pointers stay.
    const other = after(forked, by(0, munmap(8, 0x100n)));
    expect(seen(other, 0, ...loads), name).toMatchObject([
      { capability: { tag: false } },
      { capability: { tag: false } },
      {
        capability: { tag: true },
      },
    ]);
    expect(countersOf(other, 0), name).toMatchObject({ faults: lazy, copies: lazy });
    expect(seen(other, 1, ...loads), name).toMatchObject([
      cap({ tag: true, base: at(1, 0x400n) }),
      cap({ tag: true, base: at(1, 0x400n) }),
      cap({ tag: true, base: at(1) }),
    ]);
  }
});

/** Memory, and pointers in it. */
import { regionSize } from "../../spec/sfork/config.js";
import { regionBase } from "../../spec/sfork/machine.js";
import { firstOf, inOrder, keyIf, thenOf, when } from "./detector.js";
import type { Now } from "./now.js";
import type { Birth, Past } from "./past.js";
import type { Section } from "./requirement.js";

/** A byte that a child reads and has not stored to: what its parent had there is what counts. */
const readsInherited = (now: Now, past: Past, holds: (byte: number, birth: Birth) => boolean): boolean => {
  const birth = past.copyOf(now.process);
  return (
    birth !== undefined &&
    now.reads.some((byte) => !past.wroteSince(now.process, byte, birth.time) && holds(byte, birth))
  );
};

/** The page of the parent's from which a child's page, or a byte of it, comes. */
const parentsPage = ({ before, forker }: Birth, index: number) => before.regions[forker.slot]?.[index];

const pageOf = (now: Now, byte: number): number => Math.floor(byte / now.before.config.page);

/** A byte that a child of this process has stored to since its fork, and nobody behind it here. */
const storedByChild = (now: Now, past: Past, byte: number): boolean =>
  past.childrenOf(now.process).some((child) => {
    const stores = past.writesTo(child, byte).filter(({ time }) => time > (past.birthOf(child)?.time ?? 0));
    const last = stores.at(-1);
    return last !== undefined && !past.wroteSince(now.process, byte, last.time);
  });

/** Stored to by the parent's own parent, and then by the parent before its fork. */
const storedTwice = (past: Past, byte: number, birth: Birth): boolean => {
  const elder = past.birthOf(birth.parent);
  const stores = past.writesTo(birth.parent, byte).map(({ time }) => time);
  return (
    elder !== undefined &&
    past.wroteBefore(elder.parent, byte, elder.time) &&
    stores.some((time) => time > elder.time && time < birth.time)
  );
};

/** The value that a load observes: a number, or what has no tag. */
const loadedNumber = ({ observation, operation }: Now): bigint | undefined => {
  if (!operation.op.startsWith("load")) return undefined;
  if (observation.kind === "integer") return observation.integer;
  return observation.kind === "capability" && !observation.capability.tag ? observation.capability.address : undefined;
};

const liesInRegionOf = ({ before: { config } }: Now, slot: number, address: bigint): boolean => {
  const start = regionBase(config, slot);
  return address >= start && address < start + regionSize(config);
};

const comparing = ["csub", "csetequalexact", "ctestsubset", "ctoptr"] as const;

export const memory: Section = {
  title: "Memory",
  rows: [
    {
      id: "M01",
      requirement: "The child's private memory is what the parent's was at the fork.",
      tier: "core",
      rules: ["FORK-2 pages", "INV-3 relocation"],
      operations: ["fork", "store.b", "load.bu"],
      counts: "a child reads what its parent had stored before the fork",
      exercised: when((now, past) =>
        readsInherited(now, past, (byte, { parent, time }) => past.wroteBefore(parent, byte, time)),
      ),
    },
    {
      id: "M02",
      requirement: "The parent never sees what the child stores.",
      tier: "core",
      rules: ["FORK-2 pages", "MEM-4 resolve", "INV-6 interference"],
      operations: ["fork", "store.b", "load.bu"],
      counts: "a parent reads where its child has stored since",
      exercised: when((now, past) => now.reads.some((byte) => storedByChild(now, past, byte))),
    },
    {
      id: "M03",
      requirement: "The child never sees what the parent stores, though it reads for the first time only then.",
      tier: "core",
      rules: ["FORK-2 pages", "MEM-4 resolve", "INV-6 interference"],
      operations: ["fork", "store.b", "load.bu"],
      counts: "a child reads where its parent has stored since",
      exercised: when((now, past) =>
        readsInherited(now, past, (byte, { parent, time }) => past.wroteSince(parent, byte, time + 1)),
      ),
    },
    {
      id: "M04",
      requirement: "The same across generations: each has what its own parent had at its own fork.",
      tier: "core",
      rules: ["FORK-2 pages", "INV-3 relocation", "INV-6 interference"],
      operations: ["fork", "store.b", "load.bu"],
      counts: "a grandchild reads where its grandparent and then its parent had stored",
      exercised: when((now, past) => readsInherited(now, past, (byte, birth) => storedTwice(past, byte, birth))),
    },
    {
      id: "M05",
      requirement: "Shared memory stays shared: each sees what the other stores.",
      tier: "core",
      rules: ["MEM-7 segment"],
      operations: ["fork", "store.b", "load.bu"],
      counts: "a process reads what another has stored in a shared segment",
      exercised: when((now, past) =>
        now.sharedReads.some((byte) => ![undefined, now.process].includes(past.sharedWriter(byte))),
      ),
    },
    {
      id: "M06",
      requirement: "What one side maps after the fork the other has not.",
      tier: "second",
      rules: ["REUSE-2 mmap", "INV-6 interference"],
      operations: ["fork", "mmap"],
      counts: "one side maps a page, and the other touches or maps that place",
      exercised: inOrder(
        (now, past) => (now.did("mmap") ? firstOf(now, past.relativesOf(now.process), now.remapped) : []),
        (now) => thenOf(now, [...(now.did("mmap") ? now.remapped : []), ...now.touched.map(({ index }) => index)]),
      ),
    },
    {
      id: "M07",
      requirement: "What one side unmaps or protects after the fork the other still has as it was.",
      tier: "second",
      rules: ["REUSE-1 sweep", "INV-6 interference"],
      operations: ["fork", "munmap", "mprotect"],
      counts: "one side unmaps or protects a page, and the other accesses its own",
      exercised: inOrder(
        (now, past) => (now.did("munmap", "mprotect") ? firstOf(now, past.relativesOf(now.process), now.remapped) : []),
        (now) =>
          now.succeeded
            ? thenOf(
                now,
                now.touched.map(({ index }) => index),
              )
            : [],
      ),
    },
    {
      id: "M08",
      requirement: "Pages are protected in the child as in the parent.",
      tier: "core",
      rules: ["FORK-2 pages", "MEM-1 page"],
      operations: ["fork", "mprotect", "store.b"],
      counts: "a child is refused an access by the protection that a page had at the fork",
      exercised: when((now, past) => {
        const { observation } = now;
        const birth = past.copyOf(now.process);
        const refused = observation.kind === "trap" && ["page-read", "page-write"].includes(observation.trap);
        return (
          refused &&
          birth !== undefined &&
          now.touched.some(
            ({ index, entry }) => entry !== undefined && parentsPage(birth, index)?.protection === entry.protection,
          )
        );
      }),
    },
    {
      id: "M09",
      requirement: "Of a private mapping of a file, what was stored before the fork is copied.",
      tier: "other",
      reason: "Files cannot be mapped; private memory is anonymous (M01).",
    },
    {
      id: "M10",
      requirement: "Through a shared mapping of a file both see each other and the file.",
      tier: "other",
      reason: "Files cannot be mapped; shared memory is in segments (M05).",
    },
    {
      id: "M11",
      requirement: "Memory locks are not inherited.",
      tier: "other",
      reason: "No page is ever paged out, so there is nothing to lock.",
    },
    {
      id: "M12",
      requirement: "Memory marked dontfork is not in the child.",
      tier: "second",
      rules: ["FORK-2 pages", "FORK-2 absent"],
      operations: ["fork", "madvise"],
      counts: "a child touches, or maps, a place that was marked in its parent",
      exercised: when((now, past) => {
        const birth = past.copyOf(now.process);
        const places = [...(now.did("mmap") ? now.remapped : []), ...now.touched.map(({ index }) => index)];
        return birth !== undefined && places.some((index) => parentsPage(birth, index)?.advice.dontFork === true);
      }),
    },
    {
      id: "M13",
      requirement: "Memory marked wipeonfork is zero in the child, which has the mark, too; keeponfork takes it away.",
      tier: "second",
      rules: ["FORK-2 pages"],
      operations: ["fork", "madvise", "load.bu"],
      counts: "a child reads marked memory where its parent had stored",
      exercised: when((now, past) =>
        readsInherited(
          now,
          past,
          (byte, birth) =>
            parentsPage(birth, pageOf(now, byte))?.advice.wipeOnFork === true &&
            past.wroteBefore(birth.parent, byte, birth.time),
        ),
      ),
    },
    {
      id: "M14",
      requirement: "System V shared memory stays attached, and the count of attachments grows.",
      tier: "other",
      reason: "Segments are there in every process from the start: nothing is attached or counted.",
    },
    {
      id: "M15",
      requirement: "The heap works in the child, and what is freed there is not freed in the parent.",
      tier: "other",
      reason: "A heap is a library's; its memory is private memory (M01 to M04, M16).",
    },
    {
      id: "M16",
      requirement: "Every pointer that the child has leads to the child's own copy.",
      tier: "core",
      rules: ["FORK-3 image", "FORK-4 registers", "INV-3 relocation"],
      operations: ["fork", "storecap", "loadcap"],
      counts: "a child loads a pointer to private memory that its parent had stored",
      exercised: when((now, past) => {
        const { observation } = now;
        const pointer = now.is("loadcap") && observation.kind === "capability" ? observation.capability : undefined;
        return (
          pointer !== undefined &&
          now.isOwn(pointer) &&
          readsInherited(now, past, (byte, { parent, time }) => past.wroteBefore(parent, byte, time))
        );
      }),
    },
    {
      id: "M17",
      requirement: "No pointer of the child leads into the parent's private memory, nor the other way.",
      tier: "core",
      rules: ["FORK-3 image", "FORK-4 registers", "FORK-4 kernel-held", "INV-1 isolation", "INV-2 stale"],
      operations: ["fork", "loadcap", "storecap", "getaltstack"],
      counts: "a fork of a process with pointers to private memory in memory",
      exercised: when((now) => now.inheritedPointers.length > 0),
    },
    {
      id: "M18",
      requirement: "How pointers stand to each other is kept: order, distance, bounds, rights, seals.",
      tier: "second",
      rules: ["FORK-3 encode", "INV-3 image", "INV-4 tags"],
      operations: ["fork", "csub", "csetequalexact", "loadcap"],
      counts: "a child compares two pointers to its private memory",
      exercised: when((now, past) => {
        const { operation } = now;
        return (
          past.copyOf(now.process) !== undefined &&
          now.did(...comparing) &&
          "cs1" in operation &&
          "cs2" in operation &&
          [operation.cs1, operation.cs2].every((index) => now.isOwn(now.register(index)))
        );
      }),
    },
    {
      id: "M19",
      requirement: "A number that happens to be an address stays what it is.",
      tier: "second",
      rules: ["FORK-7 untagged"],
      operations: ["fork", "cgetaddr", "load.w", "loadcap"],
      counts: "a child loads a number that it inherited and that is an address of its parent's",
      exercised: when((now, past) => {
        const value = loadedNumber(now);
        return (
          value !== undefined && readsInherited(now, past, (_, { forker }) => liesInRegionOf(now, forker.slot, value))
        );
      }),
    },
    {
      id: "M20",
      requirement: "Shared memory gives nobody a pointer into another's private memory.",
      tier: "other",
      rules: ["MEM-7 segment"],
      operations: ["storecap", "cmemcpy", "loadcap"],
      without:
        "on Linux an address in shared memory leads each process to its own object; here no pointer can be stored there at all",
      counts: "storing a pointer in a shared segment is refused",
      exercised: inOrder((now) =>
        keyIf(now.observation.kind === "trap" && now.observation.trap === "page-store-cap", "refused"),
      ),
    },
  ],
};

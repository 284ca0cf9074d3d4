/** Sharing, faults and frames: what lazy copies and protections may get wrong. */
import type { Defect } from "../defect.js";

export const sharing: readonly Defect[] = [
  {
    id: "B1",
    mistake:
      "the table of references is indexed by less than the whole frame number, so that frames of different processes share a count",
    origin: "addr_to_page_ref",
    edits: [
      {
        file: "operations-process",
        find: "frameReferences[mapped - 1] = (frameReferences[mapped - 1] ?? 0) + 1;",
        put: "const counted = (mapped - 1) % machine.pages;\n    frameReferences[counted] = (frameReferences[counted] ?? 0) + 1;",
      },
    ],
  },
  {
    id: "B2",
    mistake: "a grandchild's code and constants are mapped to frames that were never filled",
    origin: "sfork",
    edits: [
      {
        file: "operations-process",
        find: "sharePage(machine, parent, child, entry, to + index);",
        put: "{\n            if (parent.ordinal > 0 && (flags & 2) === 0)\n                mapFresh(machine, child.slot, index, flags, 0);\n            else\n                sharePage(machine, parent, child, entry, to + index);\n        }",
      },
    ],
  },
  {
    id: "B3",
    mistake: "a fork takes the page table of process 0 instead of the parent's",
    origin: "sfork",
    edits: [
      {
        file: "operations-process",
        find: "const from = (machine.rowOf[parent.slot] ?? 0) * pages;",
        put: "const from = (machine.rowOf[0] ?? 0) * pages;",
      },
    ],
  },
  {
    id: "B4",
    mistake: "a parent that is itself a child loses the pointer-load barrier on pages that it still shares",
    origin: "uk_pages_set_prot_nocopa",
    edits: [
      {
        file: "operations-process",
        find: "    child.pageTableWrites += 1;\n",
        put: "    child.pageTableWrites += 1;\n    if (parent.ordinal > 0)\n        parent.barrierLost = true;\n",
      },
      {
        file: "pages",
        find: "machine.frameHome[(machine.entries[entry] ?? 0) - 1] !== slot;",
        put: "machine.frameHome[(machine.entries[entry] ?? 0) - 1] !== slot &&\n    machine.processes[machine.ownerOf[slot] ?? -1]?.barrierLost !== true;",
      },
    ],
  },
  {
    id: "B5",
    mistake:
      "a grandchild is recorded under its parent and not with the frame's owner, so that a grandparent's write reaches it",
    origin: "handle_level3_page_fault",
    edits: [
      {
        file: "operations-process",
        find: "frameReferences[mapped - 1] = (frameReferences[mapped - 1] ?? 0) + 1;",
        put: "if (parent.ordinal === 0)\n        frameReferences[mapped - 1] = (frameReferences[mapped - 1] ?? 0) + 1;",
      },
    ],
  },
  {
    id: "B7",
    mistake: "any fault is repaired by making the page readable and writable",
    edits: [
      {
        file: "pages",
        find: "flags[entry] = (flags[entry] ?? 0) & ~GUARD;",
        put: "flags[entry] = ((flags[entry] ?? 0) & ~GUARD) | READ | WRITE;",
      },
    ],
  },
  {
    id: "B8",
    mistake: "the copy gets the protection of ordinary data instead of the original one",
    edits: [
      { file: "operations-process", find: "flags[own] = old | GUARD;", put: "flags[own] = (old & ~7) | 3 | GUARD;" },
    ],
  },
  {
    id: "B9",
    mistake: "code pages are aliased in the child, writable and without a guard",
    edits: [
      {
        file: "operations-process",
        find: "flags[own] = old | GUARD;",
        put: "flags[own] = (old & 4) === 0 ? old | GUARD : (old | 2) & ~GUARD;",
      },
    ],
  },
  {
    id: "B10",
    mistake: "one child's fault copies the page for all of its siblings",
    edits: [
      {
        file: "pages",
        find: "    owner.copies += 1;\n",
        put: '    owner.copies += 1;\n    for (const sibling of machine.processes) {\n        if (sibling.state !== "live" || sibling === owner || sibling.parent !== owner.parent)\n            continue;\n        const other = (machine.rowOf[sibling.slot] ?? 0) * machine.pages + (entry % machine.pages);\n        const isShared = (machine.frameReferences[frame] ?? 0) > 1 && machine.usedFrames < machine.config.frames;\n        if (isShared && entries[other] === frame + 1)\n            resolve(machine, other, sibling.slot);\n    }\n',
      },
    ],
  },
  {
    id: "B11",
    mistake: "a fault is attributed to the running process and not to the owner of the page",
    edits: [
      {
        file: "pages",
        find: "const owner = machine.processes[machine.ownerOf[slot] ?? -1];\n    if (owner === undefined)\n        return;\n",
        put: "const owner = machine.process;\n    slot = owner.slot;\n",
      },
    ],
  },
  {
    id: "B14",
    mistake: "the parent's own page stays writable at a fork, so that the child sees what it writes",
    edits: [{ file: "operations-process", find: "flags[entry] = old | GUARD;", put: "flags[entry] = old;" }],
  },
  {
    id: "B15",
    mistake: "the sole remaining owner of a frame takes it over without relocating it",
    edits: [
      {
        file: "pages",
        find: "owner.relocations += relocateStore(machine, machine.frameStore[frame] ?? 0, home, slot);\n        frameHome",
        put: "frameHome",
      },
    ],
  },
  {
    id: "B16",
    mistake: "the reference count of a frame is raised by the first fork, and not by the second one",
    edits: [
      {
        file: "operations-process",
        find: "frameReferences[mapped - 1] = (frameReferences[mapped - 1] ?? 0) + 1;",
        put: "if ((old & GUARD) === 0)\n        frameReferences[mapped - 1] = (frameReferences[mapped - 1] ?? 0) + 1;",
      },
    ],
  },
  {
    id: "B17",
    mistake: "a frame is freed while the last of those who share it still maps it",
    edits: [{ file: "storage", find: "if (left > 0)", put: "if (left > 1)" }],
  },
  {
    id: "B18",
    mistake: "a load of an integer resolves the page where only loads of capabilities should",
    edits: [{ file: "pages", find: "return touch === TOUCH_TAG ? tagFaults : readFaults;", put: "return tagFaults;" }],
  },
  {
    id: "B19",
    mistake: "a load of a capability through an authority without that right delivers the tag",
    edits: [
      {
        file: "operations-memory",
        find: "if (!tag || (permissions & machine.rights.loadCap) === 0)",
        put: "if (!tag)",
      },
    ],
  },
  {
    id: "B20",
    mistake: "an access that crosses from one page into the next resolves only the first",
    edits: [
      {
        file: "pages",
        find: "for (let at = 0; at < accesses; at += 1) {\n        const entry = accessEntry[at] ?? 0;\n        const slot",
        put: "for (let at = 0; at < Math.min(accesses, 1); at += 1) {\n        const entry = accessEntry[at] ?? 0;\n        const slot",
      },
    ],
  },
  {
    id: "B21",
    mistake: "overwriting part of a granule leaves its tag",
    edits: [
      {
        file: "memory",
        find: "clearTags(machine, store, offset, end - first);",
        put: "if (end - first >= machine.granule)\n        clearTags(machine, store, offset, end - first);",
      },
    ],
  },
  {
    id: "B22",
    mistake: "a copy of memory moves tags to a destination that is not aligned as the source is",
    edits: [
      {
        file: "operations-memory",
        find: "const isAlike = phase === (toLo & (granule - 1)) && size >= first;",
        put: "const isAlike = size >= first;",
      },
    ],
  },
  {
    id: "B23",
    mistake: "reading the tags of an unresolved page reports them without resolving it",
    edits: [
      {
        file: "operations-memory",
        find: "touchPage(machine, tags === 0 ? TOUCH_READ : TOUCH_TAG, false, 1);",
        put: "touchPage(machine, TOUCH_READ, false, 1);",
      },
    ],
  },
  {
    id: "B24",
    mistake: "a resolve that runs out of frames has lifted the guard of the page before",
    edits: [
      {
        file: "pages",
        find: "    machine.kind = OUT_OF_FRAMES;\n",
        put: "    machine.flags[machine.accessEntry[0] ?? 0] = (machine.flags[machine.accessEntry[0] ?? 0] ?? 0) & ~GUARD;\n    machine.kind = OUT_OF_FRAMES;\n",
      },
    ],
  },
  {
    id: "B25",
    mistake: "a change of protection of a shared page reaches the other processes' pages",
    edits: [
      {
        file: "pages",
        find: "machine.flags[entry] = (old & ~PROTECTION) | protection;",
        put: "for (let other = 0; other < machine.rowCount * machine.pages; other += 1) {\n        if (machine.entries[other] === machine.entries[entry])\n            machine.flags[other] = ((machine.flags[other] ?? 0) & ~PROTECTION) | protection;\n    }",
      },
    ],
  },
  {
    id: "B26",
    mistake: "a change of protection that allows writes opens the frame of a page that is still shared",
    edits: [
      {
        file: "pages",
        find: "machine.flags[entry] = (old & ~PROTECTION) | protection;",
        put: "machine.flags[entry] = (old & ~((protection & WRITE) === 0 ? PROTECTION : PROTECTION | GUARD)) | protection;",
      },
    ],
  },
  {
    id: "B27",
    mistake: "a frame is taken over and relocated in place while another mapping of it exists",
    edits: [
      { file: "pages", find: "if (frameReferences[frame] === 1) {", put: "if ((frameReferences[frame] ?? 0) <= 2) {" },
    ],
  },
  {
    id: "B28",
    mistake: "a frame whose home is the slot that the child gets is taken for one of the parent's",
    edits: [
      {
        file: "operations-process",
        find: "frameReferences[mapped - 1] = (frameReferences[mapped - 1] ?? 0) + 1;",
        put: "frameReferences[mapped - 1] = (frameReferences[mapped - 1] ?? 0) + 1;\n    if (machine.frameHome[mapped - 1] === child.slot)\n        machine.frameHome[mapped - 1] = parent.slot;",
      },
    ],
  },
  {
    id: "B29",
    mistake: "a copy of memory reads what it has just written where source and destination overlap",
    edits: [
      {
        file: "operations-memory",
        find: "const tag = tags[index] === 1 && stores[index] === 1;",
        put: "const source = from + first + index * granule;\n        const cell = cellAt(machine, source);\n        tags[index] = +deliver(machine, cell, isTaggedAt(machine, source), permissions, cells, index * granuleHalves);\n        const tag = tags[index] === 1 && stores[index] === 1;",
      },
    ],
  },
];

/** The life of processes and what the kernel does for them: ends, waits, descriptors, signals, devices, sweeps. */
import type { Defect } from "../defect.js";

export const lifecycle: readonly Defect[] = [
  {
    id: "L1",
    mistake: "a fork goes on although the table of processes is full",
    origin: "next_available_proc_slot",
    edits: [{ file: "operations-process", find: '[free < 0 || isFull, "EAGAIN"]', put: '[free < 0, "EAGAIN"]' }],
  },
  {
    id: "L2",
    mistake: "references to shared frames survive the exit of a process",
    origin: "remove_page_references",
    edits: [
      {
        file: "processes",
        find: "unmap(machine, slot, 0, machine.pages);",
        put: "for (let index = 0; index < machine.pages; index += 1) {\n        const frame = (machine.entries[(machine.rowOf[slot] ?? 0) * machine.pages + index] ?? 0) - 1;\n        if ((machine.frameReferences[frame] ?? 0) > 1)\n            machine.frameReferences[frame] += 1;\n    }\n    unmap(machine, slot, 0, machine.pages);",
      },
    ],
  },
  {
    id: "L3",
    mistake: "a new process inherits the children of its slot's last owner",
    edits: [
      { file: "processes", find: "child.parent = 0;", put: "child.parent = 0;\n        child.bornOf = process.slot;" },
      {
        file: "processes",
        find: "machine.used[slot] = 1;",
        put: 'machine.used[slot] = 1;\n    for (const child of machine.processes)\n        if (child.bornOf === slot && child.state !== "reaped")\n            child.parent = process.ordinal;',
      },
    ],
  },
  {
    id: "L4",
    mistake: "memory is not cleared and capabilities to it are not revoked before it is used again",
    origin: "remove_process",
    edits: [
      { file: "processes", find: "sweepRange(machine, slot, rangeOf(machine, slot, 0, machine.pages));", put: "" },
      { file: "storage", find: "machine.cells.fill(0, free * pageHalves, (free + 1) * pageHalves);\n", put: "" },
    ],
  },
  {
    id: "L5",
    mistake: "descendants lose the frames that they share with a process that ends",
    edits: [
      {
        file: "processes",
        find: "unmap(machine, slot, 0, machine.pages);",
        put: 'for (let index = 0; index < machine.pages; index += 1) {\n        const mapped = machine.entries[(machine.rowOf[slot] ?? 0) * machine.pages + index] ?? 0;\n        for (const other of machine.processes) {\n            if (mapped > 0 && other.state === "live" && other.parent === ordinal && other !== process) {\n                const at = (machine.rowOf[other.slot] ?? 0) * machine.pages + index;\n                if (machine.entries[at] === mapped)\n                    unmap(machine, other.slot, index, 1);\n            }\n        }\n    }\n    unmap(machine, slot, 0, machine.pages);',
      },
    ],
  },
  {
    id: "L6",
    mistake: "a wait whose children are all alive fails as if there were none",
    origin: "sfork_wait3",
    edits: [{ file: "operations-process", find: "if (children === 0) {", put: "if (chosen === undefined) {" }],
  },
  {
    id: "L7",
    mistake: "orphans keep the slot of their dead parent as their parent, and who gets that slot reaps them",
    edits: [
      { file: "processes", find: "child.parent = 0;\n", put: "" },
      {
        file: "operations-process",
        find: 'child.parent !== own.ordinal || state === "reaped"',
        put: 'processes[child.parent]?.slot !== own.slot || state === "reaped"',
      },
    ],
  },
  {
    id: "L11",
    mistake: "the pid of a process and that of its parent are constants",
    edits: [
      {
        file: "operations-process",
        find: "giveInteger(machine, code, at, machine.process.pid, 0);",
        put: "giveInteger(machine, code, at, 1, 0);",
      },
      {
        file: "operations-process",
        find: "giveInteger(machine, code, at, parent?.pid ?? 0, 0);",
        put: "giveInteger(machine, code, at, 0, 0);",
      },
    ],
  },
  {
    id: "L12",
    mistake: "parent and child have file offsets of their own after a fork",
    origin: "fdtable_duplicate",
    edits: [
      {
        file: "operations-process",
        find: "descriptor && { ...descriptor });",
        put: "descriptor && { ...descriptor, description: descriptor.description.file === undefined ? descriptor.description : { ...descriptor.description } });",
      },
    ],
  },
  {
    id: "L13",
    mistake: "descriptors are not closed when a process ends",
    origin: "sfork_exit",
    edits: [{ file: "processes", find: "    closeWhere(process, () => true);\n", put: "" }],
  },
  {
    id: "L14",
    mistake: "the signal mask of the child is empty instead of inherited",
    edits: [
      {
        file: "operations-process",
        find: "newThread(machine, child, thread.mask)",
        put: "newThread(machine, child, 0)",
      },
    ],
  },
  {
    id: "L15",
    mistake: "the second half of a split call fetches the lengths again",
    origin: "sfork_copy_from_user",
    edits: [
      {
        file: "operations-transfer",
        find: 'thread.call = { kind: "read", description, buffers };',
        put: 'thread.call = { kind: "read", description, buffers, again: () => buffersOf(machine, code, at, operation) };',
      },
      {
        file: "operations-transfer",
        find: "read(machine, call.description, call.buffers);",
        put: "const again = call.again();\n        read(machine, call.description, call.buffers.map(({ capability }, index) => ({ ...again[index], capability })));",
      },
      {
        file: "operations-transfer",
        find: 'thread.call = { kind: "write", description, bytes: copyIn(machine, buffers) };',
        put: 'thread.call = { kind: "write", description, bytes: copyIn(machine, buffers), again: () => buffersOf(machine, code, at, operation) };',
      },
      {
        file: "operations-transfer",
        find: "const count = roomFor(machine, call.description, call.bytes.length);",
        put: "const count = roomFor(machine, call.description, totalOf(call.again()));",
      },
    ],
  },
  {
    id: "L16",
    mistake: "a buffer that the kernel only reads is written back",
    origin: "write_kernel",
    edits: [
      {
        file: "operations-transfer",
        find: "write(machine, description, copyIn(machine, buffers), count);",
        put: "{\n        const bytes = copyIn(machine, buffers);\n        write(machine, description, bytes, count);\n        copyOut(machine, buffers, bytes);\n    }",
      },
    ],
  },
  {
    id: "L17",
    mistake: "only the first of several vectors reaches the kernel",
    origin: "readv_kernel",
    edits: [
      {
        file: "transfer",
        find: "for (const buffer of buffers) {\n        copyFrom",
        put: "for (const buffer of buffers.slice(0, 1)) {\n        copyFrom",
      },
      {
        file: "transfer",
        find: "for (const buffer of buffers) {\n        const size = Math.min(bytes",
        put: "for (const buffer of buffers.slice(0, 1)) {\n        const size = Math.min(bytes",
      },
    ],
  },
  {
    id: "L19",
    mistake: "pending signals and the alarm of the parent are inherited by the child",
    edits: [
      {
        file: "operations-process",
        find: "child.umask = parent.umask;",
        put: "child.umask = parent.umask;\n    child.pending = parent.pending;\n    child.alarm = parent.alarm;",
      },
    ],
  },
  {
    id: "L20",
    mistake: "a fork that fails keeps the slot that it had chosen",
    edits: [
      {
        file: "operations-process",
        find: "    if (isWrong)\n        return;\n    // 1.",
        put: "    if (isWrong) {\n        if (free >= 0)\n            machine.ownerOf[free] = -2;\n        return;\n    }\n    // 1.",
      },
    ],
  },
  {
    id: "L21",
    mistake: "a new image keeps the descriptors that were to be closed",
    edits: [{ file: "operations-process", find: "    closeWhere(process, ({ cloexec }) => cloexec);\n", put: "" }],
  },
  {
    id: "L22",
    mistake: "the kernel keeps the alternate stack of the old image for the new one",
    edits: [{ file: "operations-process", find: "process.stack = newHeld(machine);\n", put: "" }],
  },
  {
    id: "L23",
    mistake: "tags cross a pipe",
    edits: [
      {
        file: "transfer",
        find: "import { copyFrom, copyTo } from",
        put: "import { copyFrom, copyTo, isTaggedAt } from",
      },
      {
        file: "transfer",
        find: "import { beginAccess, distanceOf,",
        put: "import { beginAccess, locate, setTag, storeAt, distanceOf,",
      },
      {
        file: "transfer",
        find: "copyFrom(machine, startOf(machine, buffer), sizeOf(buffer), bytes, done);",
        put: "copyFrom(machine, startOf(machine, buffer), sizeOf(buffer), bytes, done);\n        bytes.tagged ??= [];\n        const start = startOf(machine, buffer);\n        for (let at = 0; start % machine.granule === 0 && at + machine.granule <= sizeOf(buffer); at += machine.granule)\n            if (isTaggedAt(machine, start + at))\n                bytes.tagged.push(done + at);",
      },
      {
        file: "transfer",
        find: "copyTo(machine, startOf(machine, buffer), size, bytes, done);",
        put: "copyTo(machine, startOf(machine, buffer), size, bytes, done);\n        for (const at of bytes.tagged ?? []) {\n            const place = startOf(machine, buffer) + at - done;\n            if (at < done || at + machine.granule > done + size || place % machine.granule !== 0)\n                continue;\n            locate(machine, place);\n            setTag(machine, storeAt(machine, machine.entry), machine.offset >> machine.granuleShift);\n        }",
      },
      {
        file: "operations-transfer",
        find: "pipe.bytes = [...pipe.bytes, ...bytes.subarray(0, count)];",
        put: "pipe.tagged = [...(pipe.tagged ?? []), ...(bytes.tagged ?? []).map((at) => at + pipe.bytes.length)];\n        pipe.bytes = [...pipe.bytes, ...bytes.subarray(0, count)];",
      },
      {
        file: "operations-transfer",
        find: "    copyOut(machine, buffers, bytes);\n",
        put: "    bytes.tagged = pipe?.tagged;\n    copyOut(machine, buffers, bytes);\n",
      },
      {
        file: "operations-transfer",
        find: "pipe.bytes = pipe.bytes.slice(bytes.length);",
        put: "{\n        pipe.bytes = pipe.bytes.slice(bytes.length);\n        pipe.tagged = (pipe.tagged ?? []).map((at) => at - bytes.length).filter((at) => at >= 0);\n    }",
      },
    ],
  },
  {
    id: "L24",
    mistake: "revocation misses capabilities that are kept by the kernel or in flight",
    edits: [
      { file: "sweep", find: "sweepOne(machine, process.stack, range);", put: "" },
      { file: "sweep", find: "sweepOne(machine, message, range);", put: "void message;" },
    ],
  },
  {
    id: "L25",
    mistake: "the pid of a zombie is given to a new process",
    edits: [
      {
        file: "operations-process",
        find: 'if (state === "reaped")\n            continue;\n        taken.add',
        put: 'if (state !== "live")\n            continue;\n        taken.add',
      },
    ],
  },
  {
    id: "L26",
    mistake: "a device writes to the frame that it was given, which is shared since a fork",
    edits: [
      {
        file: "operations-channel",
        find: "copyOut(machine, [buffer], bytes);",
        put: "machine.accesses = 0;\n        copyOut(machine, [buffer], bytes);",
      },
    ],
  },
  {
    id: "L27",
    mistake: "the sweep judges what lies in a frame as it lies, and not as its mapper sees it",
    edits: [{ file: "sweep", find: " && !liesWithin(machine, machine.decoded, home)", put: "" }],
  },
  {
    id: "L28",
    mistake: "a grant keeps the right to load capabilities, and so is transitive",
    edits: [{ file: "operations-channel", find: "~(rights.loadCap | rights.storeCap)", put: "~rights.storeCap" }],
  },
  {
    id: "L29",
    mistake: "the kernel copies out into a shared frame without splitting it",
    edits: [
      {
        file: "operations-transfer",
        find: "    copyOut(machine, buffers, bytes);\n",
        put: "    machine.accesses = 0;\n    copyOut(machine, buffers, bytes);\n",
      },
    ],
  },
  {
    id: "L30",
    mistake: "what the kernel or a device writes leaves the tags of the granules that it overwrites",
    edits: [
      {
        file: "transfer",
        find: "copyTo(machine, startOf(machine, buffer), size, bytes, done);",
        put: "const tags = machine.tags.slice();\n        copyTo(machine, startOf(machine, buffer), size, bytes, done);\n        machine.tags.set(tags);",
      },
    ],
  },
  {
    id: "L31",
    mistake: "a call does not look at the bounds of the capability that was passed",
    edits: [
      {
        file: "transfer",
        find: "if (boundsTrap(machine, lo, hi, sizeLo, sizeHi) !== 0)\n        return true;\n",
        put: "",
      },
    ],
  },
  {
    id: "L32",
    mistake: "a channel takes sealed capabilities and sealing authority",
    edits: [
      { file: "operations-channel", find: "    if (!isMemory(machine, decoded))\n        return false;\n", put: "" },
      {
        file: "operations-channel",
        find: "return sentry && !permits(decoded, rights.store | rights.loadCap | rights.storeCap);",
        put: "return true;",
      },
    ],
  },
  {
    id: "L33",
    mistake: "grants to pages that are unmapped stay alive",
    edits: [{ file: "operations-mapping", find: "    sweepRange(machine, slot, range);\n", put: "" }],
  },
  {
    id: "L34",
    mistake: "a device still completes what a process submitted before its image ended",
    edits: [
      { file: "processes", find: "if (request.process === ordinal)", put: "if (request.process < 0)" },
      { file: "sweep", find: "sweepOne(machine, buffer.capability, range);", put: "void buffer;" },
    ],
  },
  {
    id: "L36",
    mistake: "unmapping does not sweep what the process itself still holds in memory",
    edits: [
      {
        file: "operations-mapping",
        find: "if (!sweepOwn(machine, slot, range, first, count)) {",
        put: "if (machine.usedFrames < 0) {",
      },
    ],
  },
  {
    id: "L37",
    mistake: "capabilities without length survive a sweep",
    edits: [
      {
        file: "sweep",
        find: "return !below(baseLo, baseHi, lo, hi) && !below(endLo, endHi, baseLo, baseHi);",
        put: "return false;",
      },
    ],
  },
  {
    id: "L38",
    mistake: "a capability becomes a grant when it arrives instead of when it is sent",
    edits: [
      { file: "operations-channel", find: "if (!isSendable(machine, held)) {", put: "if (!held.tag) {" },
      {
        file: "operations-channel",
        find: "const to = registerAt(machine, code, at + CD);",
        put: "isSendable(machine, message);\n        const to = registerAt(machine, code, at + CD);",
      },
    ],
  },
  {
    id: "L35",
    mistake: "what the image of a process had committed is not returned when it ends",
    edits: [
      {
        file: "processes",
        find: "unmap(machine, slot, 0, machine.pages);",
        put: "const { committed } = machine;\n    unmap(machine, slot, 0, machine.pages);\n    machine.committed = committed;",
      },
    ],
  },
];

/** Registers, and what the kernel keeps for a process: how they come into the child. */
import type { Defect, Edit } from "../defect.js";

const relocated = "registerTags[to] = +(tag && relocateCell(machine, registers, to * granuleHalves, ...slots) !== 2);";

/** A register has come into the child, and then this is done to it. */
const afterwards = (done: string): Edit => ({
  file: "operations-process",
  find: relocated,
  put: `${relocated}\n        ${done}`,
});

export const registers: readonly Defect[] = [
  {
    id: "G1",
    mistake: "the child's stack register is made from the kernel's own authority, which has no bounds",
    origin: "sfork",
    edits: [
      afterwards(`if (index === 2 && registerTags[to] === 1) {
            const place = to * granuleHalves;
            const lo = registers[place + machine.facts.addressAt];
            const hi = machine.wide ? registers[place + machine.facts.addressAt + 1] : 0;
            machine.codec.writeRoot(registers, place);
            machine.codec.setAddress(registers, place, lo, hi, registers, place);
        }`),
    ],
  },
  {
    id: "G2",
    mistake: "one register is left out: it comes into the child as it was in the parent",
    origin: "DO_SFORK",
    edits: [
      {
        file: "operations-process",
        find: relocated,
        put: relocated.replace("tag && ", "tag && (index === 15 || ").replace("!== 2)", "!== 2))"),
      },
    ],
  },
  {
    id: "G5",
    mistake:
      "the kernel writes the child's first frame where it has no copy yet: the other bytes of the stack page are lost",
    origin: "uk_thread_init_process",
    edits: [
      {
        file: "operations-process",
        find: "if ((flags & WIPEONFORK) !== 0)\n            mapFresh",
        put: "if ((flags & WIPEONFORK) !== 0 || index === pages - 2)\n            mapFresh",
      },
    ],
  },
  {
    id: "G6",
    mistake: "the wrong permission is taken from capabilities to code: the right to system registers stays",
    origin: "remove_system_permission",
    edits: [
      { file: "operations-mapping", find: '["execute", "load", "global",', put: '["execute", "system", "global",' },
    ],
  },
  {
    id: "G7",
    mistake: "signal handlers and the alternate stack come into the child as they were in the parent",
    edits: [
      {
        file: "operations-process",
        find: "image.tag = held.tag && relocateCell(machine, image.cells, 0, from, to) !== 2;",
        put: "image.tag = held.tag;",
      },
    ],
  },
  {
    id: "G8",
    mistake: "`pcc` comes into the child with the bounds of its region",
    edits: [
      afterwards(`if (index === 16) {
            const { codec, startLo, startHi, endLo, endHi } = machine;
            const own = child.process.slot;
            const place = to * granuleHalves;
            codec.encodeBounds(registers, place, startLo[own], startHi[own], endLo[own], endHi[own], 0, registers, place);
        }`),
    ],
  },
  {
    id: "G9",
    mistake: "all threads of the parent are in the child, not only the one that forked",
    edits: [
      {
        file: "operations-process",
        find: "forkRegisters(machine, thread, first);",
        put: `forkRegisters(machine, thread, first);
    for (const other of machine.liveThreads.filter((one) => one.process === parent && one !== thread))
        forkRegisters(machine, other, newThread(machine, child, other.mask));`,
      },
    ],
  },
];

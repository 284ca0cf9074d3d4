/** Relocation: how a capability becomes what it means in the child. */
import type { Defect, Edit } from "../defect.js";

/** The last line of `relocateCell`: the capability has moved, and `decoded` is what it was. */
const moved = "return (answer & REPRESENTABLE) !== 0 ? 1 : 2;";

/** The capability has moved, and then this is done to it. */
const afterMove = (done: string): Edit => ({ file: "pages", find: moved, put: `${done}\n    ${moved}` });

const isForeign = "if (!isMemory(machine, decoded) || !liesWithin(machine, decoded, from))";

/** A capability stays as it is for another reason, too. */
const staysWhere = (holds: string): Edit => ({
  file: "pages",
  find: isForeign,
  put: `if (!isMemory(machine, decoded) || !liesWithin(machine, decoded, from) || (${holds}))`,
});

const home = "const home = machine.strategy.separate ? slot : (frameHome[frame] ?? 0);";

/** Base and top of the region that a capability comes to. */
const region = "startLo[to], startHi[to], machine.endLo[to], machine.endHi[to], 0";

/** Distance of an address from the start of the region that a capability comes from. */
const distance = (lo: string, hi: string): string =>
  `(subHi(${lo}, ${hi}, startLo[from], startHi[from]) * 0x100000000 + ((${lo} - startLo[from]) >>> 0))`;

const baseDistance = distance("decoded[BASE_LO]", "decoded[BASE_HI]");

/** The tag scan: what is done with one granule that is tagged. */
const scanned = "const answer = relocateCell(machine, machine.cells, cell, from, to);";

const startsAt = "BigInt(slot) * config.stride";
const strideNumber = "Number(config.stride)";

/** Regions lie at other distances than the configuration says. */
const stride = (bytes: string): readonly [Edit, Edit] => [
  { file: "create", find: startsAt, put: `BigInt(slot) * BigInt(${bytes})` },
  { file: "create", find: strideNumber, put: bytes },
];

export const relocation: readonly Defect[] = [
  {
    id: "R1",
    mistake: "pointers are made anew from the root of the child: the bounds of the object are lost",
    origin: "move_capability",
    edits: [afterMove(`codec.encodeBounds(cells, at, ${region}, cells, at);`)],
  },
  {
    id: "R2",
    mistake: "permissions are not carried over: a pointer that only loads can store in the child",
    origin: "move_capability",
    edits: [
      afterMove(`const now = machine.other;
    codec.decode(cells, at, now);
    codec.writeRoot(cells, at);
    codec.setAddress(cells, at, now[6], now[7], cells, at);
    codec.encodeBounds(cells, at, now[0], now[1], now[2], now[3], now[4], cells, at);
    codec.setFlags(cells, at, now[10], cells, at);
    codec.andPermissions(cells, at, now[8] | machine.rights.store, cells, at);
    codec.setOtype(cells, at, now[9], cells, at);`),
    ],
  },
  {
    id: "R3",
    mistake: "seals are dropped: a sealed capability arrives unsealed",
    origin: "move_capability",
    edits: [afterMove("codec.setOtype(cells, at, codec.unsealed, cells, at);")],
  },
  {
    id: "R4",
    mistake: "sealed entries of the kernel in memory become capabilities to the whole region, unsealed",
    origin: "copy_page",
    edits: [
      {
        file: "pages",
        find: isForeign,
        put: `if (cells === machine.cells && decoded[BASE_LO] === machine.kernelLo && decoded[BASE_HI] === machine.kernelHi) {
        codec.setOtype(cells, at, codec.unsealed, cells, at);
        codec.setAddress(cells, at, startLo[to], startHi[to], cells, at);
        codec.encodeBounds(cells, at, ${region}, cells, at);
        return 1;
    }
    ${isForeign}`,
      },
    ],
  },
  {
    id: "R5",
    mistake: "new bounds begin at the cursor instead of the base: the top grows, and the bottom is cut off",
    origin: "move_capability",
    edits: [
      afterMove(`const [baseLo, baseHi, topLo, topHi] = decoded;
    codec.setBounds(cells, at, (topLo - baseLo) | 0, subHi(topLo, topHi, baseLo, baseHi), 0, cells, at);`),
    ],
  },
  {
    id: "R6",
    mistake: "no bounds are set where the cursor and the length together reach the end of the region",
    origin: "move_capability",
    edits: [
      afterMove(`const cursor = ${distance("decoded[6]", "decoded[7]")};
    const length = ${distance("decoded[TOP_LO]", "decoded[TOP_HI]")} - ${baseDistance};
    if (cursor + length >= machine.region)
        codec.encodeBounds(cells, at, ${region}, cells, at);`),
    ],
  },
  {
    id: "R7",
    mistake: "the cursor decides what moves: an out-of-bounds pointer stays in the parent, and a foreign one is taken",
    origin: "copy_page",
    edits: [
      {
        file: "pages",
        find: isForeign,
        put: `if (!isMemory(machine, decoded) ||
        below(decoded[6], decoded[7], startLo[from], startHi[from]) ||
        !below(decoded[6], decoded[7], machine.endLo[from], machine.endHi[from]))`,
      },
    ],
  },
  {
    id: "R7b",
    mistake: "the start of the region is compared strictly: a capability to the very first byte does not move",
    origin: "copy_page",
    edits: [staysWhere("decoded[BASE_LO] === startLo[from] && decoded[BASE_HI] === startHi[from]")],
  },
  {
    id: "R8",
    mistake: "pages that are copied at the fork have another lower limit than those copied later: one page higher",
    origin: "copy_page_app",
    edits: [staysWhere(`cells === machine.cells && !machine.strategy.lazy && ${baseDistance} < machine.page`)],
  },
  {
    id: "R9",
    mistake: "only pointers to the parent move: those of a grandparent's frame are copied as they are",
    origin: "copy_page",
    edits: [
      {
        file: "pages",
        find: home,
        put: "const home = machine.strategy.separate ? slot : (machine.processes[owner.parent]?.slot ?? 0);",
      },
    ],
  },
  {
    id: "R10",
    mistake: "the distance between regions is an absolute value, which is always added",
    origin: "offset_address_process",
    edits: [
      {
        file: "pages",
        find: "const answer = codec.relocate(cells, at, (toLo - fromLo) | 0, deltaHi, to < from, cells, at);",
        put: `const answer = to < from
        ? codec.relocate(cells, at, (fromLo - toLo) | 0, subHi(fromLo, startHi[from], toLo, startHi[to]), false, cells, at)
        : codec.relocate(cells, at, (toLo - fromLo) | 0, deltaHi, false, cells, at);`,
      },
    ],
  },
  {
    id: "R11",
    mistake: "the distance between regions is a multiple of granules, not of what the format can represent",
    origin: "init_process_root_capabilities",
    edits: stride("(region + Number(config.guard) + 4 * codec.granuleHalves)"),
  },
  {
    id: "R12",
    mistake: "the distance between regions is a multiple of pages only: some capabilities do not survive the move",
    edits: stride("(region + Number(config.guard))"),
  },
  {
    id: "R13",
    mistake: "data without a tag that looks like a pointer is moved",
    edits: [
      {
        file: "pages",
        find: "someTagged(machine, store, (granule, cell) => {",
        put: `for (let each = 0; store > 0 && each < machine.page / machine.granule; each += 1)
        ((granule, cell) => {`,
      },
      { file: "pages", find: "if (answer > 0)", put: "if (answer > 0 && isTagged(machine, store, granule))" },
      {
        file: "pages",
        find: "return false;\n    });\n    return moved;",
        put: "return false;\n    })(each, store * machine.pageHalves + each * machine.granuleHalves);\n    return moved;",
      },
    ],
  },
  {
    id: "R15",
    mistake: "the tag scan misses the last granule of a page",
    edits: [
      {
        file: "pages",
        find: scanned,
        put: `if ((granule + 1) * machine.granule === machine.page)
            return false;
        ${scanned}`,
      },
    ],
  },
  {
    id: "R16",
    mistake: "a copy of a page has the tags of its first word only: those of later granules are lost",
    edits: [
      {
        file: "pages",
        find: "machine.tags.copyWithin(copy * tagWords, store * tagWords, (store + 1) * tagWords);",
        put: "machine.tags.copyWithin(copy * tagWords, store * tagWords, store * tagWords + 1);",
      },
    ],
  },
  {
    id: "R17",
    mistake: "a capability that ends where the region ends is taken for a foreign one",
    edits: [
      {
        file: "pages",
        find: "!below(machine.endLo[slot] ?? 0, machine.endHi[slot] ?? 0, topLo, topHi) &&",
        put: "below(topLo, topHi, machine.endLo[slot] ?? 0, machine.endHi[slot] ?? 0) &&",
      },
    ],
  },
  {
    id: "R18",
    mistake: "a capability of length zero at the end of the region is taken for a foreign one",
    edits: [staysWhere("decoded[BASE_LO] === machine.endLo[from] && decoded[BASE_HI] === machine.endHi[from]")],
  },
  {
    id: "R19",
    mistake: "flags are lost in the move",
    edits: [afterMove("codec.setFlags(cells, at, 0, cells, at);")],
  },
  {
    id: "R20",
    mistake: "a granule of a page moves twice",
    edits: [
      {
        file: "pages",
        find: scanned,
        put: `${scanned}
        if (answer === 1) {
            const { startLo, startHi, cells } = machine;
            const hi = subHi(startLo[to], startHi[to], startLo[from], startHi[from]);
            machine.codec.relocate(cells, cell, (startLo[to] - startLo[from]) | 0, hi, to < from, cells, cell);
        }`,
      },
    ],
  },
  {
    id: "R21",
    mistake: "the distance is that from the parent, whatever region the frame's capabilities are of",
    edits: [
      {
        file: "pages",
        find: "const fromLo = startLo[from] ?? 0;",
        put: `const near = machine.processes[machine.processes[machine.ownerOf[to]]?.parent ?? -1]?.slot ?? from;
    const fromLo = startLo[near] ?? 0;`,
      },
      { file: "pages", find: "fromLo, startHi[from] ?? 0);", put: "fromLo, startHi[near] ?? 0);" },
      { file: "pages", find: "deltaHi, to < from, cells, at);", put: "deltaHi, to < near, cells, at);" },
    ],
  },
  {
    id: "R22",
    mistake: "capabilities to shared segments are moved",
    edits: [
      {
        file: "pages",
        find: isForeign,
        put: `const [baseLo, baseHi] = decoded;
    const isShared = !below(baseLo, baseHi, machine.sharedLo, machine.sharedHi) &&
        below(baseLo, baseHi, machine.kernelLo, machine.kernelHi);
    if (!isMemory(machine, decoded) || !(isShared || liesWithin(machine, decoded, from)))`,
      },
    ],
  },
  {
    id: "R23",
    mistake: "local capabilities do not move",
    edits: [staysWhere("(decoded[8] & machine.rights.global) === 0")],
  },
  {
    id: "R24",
    mistake: "capabilities in pages that cannot be read do not move",
    edits: [
      {
        file: "pages",
        find: home,
        put: home.replace("separate ?", "separate || (flags[entry] & READ) === 0 ?"),
      },
      {
        file: "operations-process",
        find: "relocateStore(machine, store, machine.frameHome[frame] ?? 0, child.slot);",
        put: "(machine.flags[entry] & 1) === 0 ? 0 : relocateStore(machine, store, machine.frameHome[frame] ?? 0, child.slot);",
      },
    ],
  },
  {
    id: "R25",
    mistake: "what moves is decided by what the region's process has mapped at the time, not by the region",
    edits: [
      staysWhere(`!machine.entries[machine.rowOf[from] * machine.pages + Math.floor(${baseDistance} / machine.page)]`),
    ],
  },
  {
    id: "R26",
    mistake: "a capability loses its tag where its cursor passes address 0 or the end of the address space",
    edits: [
      afterMove(`codec.decode(cells, at, machine.other);
    const [was, is] = [decoded, machine.other];
    const isAbove = below(was[6], was[7], is[6], is[7]);
    if (isAbove === (to < from))
        return 2;`),
    ],
  },
];

/** Capabilities: bounds, seals, permissions and checks, in the optimised codec and where it is used. */
import type { Defect, Edit } from "../defect.js";

const atTheEdge = (file: string): Edit => ({
  file,
  find: "return sign === 0 ? distance < 0 : distance > 0;",
  put: "return sign === 0 ? distance <= 0 : distance >= 0;",
});

export const capabilities: readonly Defect[] = [
  {
    id: "C1",
    mistake: "new bounds are rounded inward at their top where rounding makes the exponent larger",
    edits: [
      {
        file: "codec/cheri128-v9-hot",
        find: "const round = unit | (top & longer);",
        put: "const round = unit & ~longer;",
      },
      { file: "codec/fit64", find: "const round = unit | (t & longer);", put: "const round = unit & ~longer;" },
      { file: "codec/concentrate32", find: "const round = unit | (t & longer);", put: "const round = unit & ~longer;" },
    ],
  },
  {
    id: "C2",
    mistake: "new bounds may end above those that they come from, by as much as they were rounded",
    edits: [
      {
        file: "operations-capability",
        find: "const answer = codec.setBounds(registers, from * granuleHalves, machine.lo, machine.hi, 0, registers, to * granuleHalves);",
        put: `const { lo, hi, other, scratch } = machine;
    codec.alignmentMask(lo, hi, other);
    const upper = machine.wide ? hi & other[1] : 0;
    const shorter = codec.setBounds(registers, from * granuleHalves, lo & other[0], upper, 0, scratch, 0) & WITHIN;
    const answer = shorter | codec.setBounds(registers, from * granuleHalves, lo, hi, 0, registers, to * granuleHalves);`,
      },
    ],
  },
  {
    id: "C3",
    mistake: "the fast check of representability lets the address be one unit beyond either edge of the window",
    edits: [atTheEdge("codec/concentrate64"), atTheEdge("codec/concentrate32")],
  },
  {
    id: "C4",
    mistake: "a sealed capability keeps its tag when its address changes",
    edits: [
      {
        file: "operations-capability",
        find: "!isSealed(machine, decoded(machine, from)) &&\n        (precisely",
        put: "decode(machine, registers, source) !== undefined &&\n        (precisely",
      },
    ],
  },
  {
    id: "C5",
    mistake: "the mask is read the other way round for user permissions: those that are to stay go",
    edits: [
      {
        file: "operations-capability",
        find: "const mask = code[at + EXTRA] ?? 0;",
        put: `const { user0 = 0, user1 = 0, user2 = 0, user3 = 0 } = machine.facts.words;
        const mask = (code[at + EXTRA] ?? 0) ^ (user0 | user1 | user2 | user3);`,
      },
    ],
  },
  {
    id: "C6",
    mistake: "an object type outside the bounds of the authority seals and unseals",
    edits: [
      {
        file: "operations-sealing",
        find: "permits(now, right) &&\n        inBounds(now, machine.lo, machine.hi, 1, 0, machine.wide));",
        put: "permits(now, right));",
      },
    ],
  },
  {
    id: "C7",
    mistake: "a sealed authority builds capabilities",
    edits: [
      {
        file: "operations-sealing",
        find: "const allowed = tagOf(machine, authority) && !isSealed(machine, outer);",
        put: "const allowed = tagOf(machine, authority);",
      },
    ],
  },
  {
    id: "C8",
    mistake: "the highest bit of a top is lost: bounds up to the end of the address space end at 0",
    edits: [
      {
        file: "codec/concentrate64",
        find: "out[AT_TOP_EXTRA] = e === 64 - width ? (baseHi & ~topHi) >>> 31 : (t >>> (64 - e)) & 1;",
        put: "out[AT_TOP_EXTRA] = 0;",
      },
    ],
  },
  {
    id: "C9",
    mistake: "a base in another window than the address is not corrected for that",
    edits: [
      {
        file: "codec/concentrate32",
        find: "return (units + lead - ((units - b + lead) & mask)) << e;",
        put: "return ((units & ~mask) + b) << e;",
      },
    ],
  },
  {
    id: "C10",
    mistake: "the null capability is not zero in memory",
    edits: [{ file: "capability", find: "cells[at + half] = 0;", put: "cells[at + half] = +(half === facts.highAt);" }],
  },
  {
    id: "C11",
    mistake: "a missing permission is told before a seal",
    edits: [
      {
        file: "capability",
        find: "if (isSealed(machine, decoded))\n        return SEAL;",
        put: `if (!permits(decoded, isStore ? machine.rights.store : machine.rights.load))
        return isStore ? PERM_STORE : PERM_LOAD;
    if (isSealed(machine, decoded))
        return SEAL;`,
      },
    ],
  },
  {
    id: "C12",
    mistake: "a local capability may be stored through an authority without the right to store local ones",
    edits: [
      {
        file: "capability",
        find: "return permits(other, rights.global) || permits(decoded, rights.storeLocal) ? 0 : PERM_STORE_LOCAL;",
        put: "return 0;",
      },
    ],
  },
];

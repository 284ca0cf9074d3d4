/** Capability operations as steps: operands from registers, results to `cd`. What they do stands in `spec/cheri`. */
import * as cheri from "../cheri/index.js";
import type { Capability, CapabilityFormat } from "../cheri/index.js";
import {
  giveCapability,
  giveInteger,
  integer,
  register,
  threadOf,
  trapped,
  withThread,
  writeRegister,
  type Context,
  type Outcome,
} from "./context.js";
import { operations, type Integer } from "./operation.js";
import { checkPage, place } from "./paging.js";
import type { Rules } from "./rules.js";

type Derive = (format: CapabilityFormat, capability: Capability, n: bigint) => Capability;
type Combine = (format: CapabilityFormat, first: Capability, second: Capability) => Capability;
type Read = (format: CapabilityFormat, capability: Capability) => bigint | boolean;
type Compare = (format: CapabilityFormat, first: Capability, second: Capability) => bigint | boolean;

const derive =
  (operation: Derive) =>
  (context: Context, { cd, cs1, n }: { readonly cd: number; readonly cs1: number; readonly n: Integer }): Outcome =>
    giveCapability(context, cd, operation(context.format, register(context, cs1), integer(context, n)));

interface Three {
  readonly cd: number;
  readonly cs1: number;
  readonly cs2: number;
}

const combine =
  (operation: Combine) =>
  (context: Context, { cd, cs1, cs2 }: Three): Outcome =>
    giveCapability(context, cd, operation(context.format, register(context, cs1), register(context, cs2)));

const compare =
  (operation: Compare) =>
  (context: Context, { cd, cs1, cs2 }: Three): Outcome =>
    giveInteger(context, cd, operation(context.format, register(context, cs1), register(context, cs2)));

const get =
  (operation: Read) =>
  (context: Context, { cd, cs1 }: { readonly cd: number; readonly cs1: number }): Outcome =>
    giveInteger(context, cd, operation(context.format, register(context, cs1)));

/** A jump goes to a page that may be executed, or not at all; a fetch never resolves. */
const jumpTo = (context: Context, pcc: Capability): Outcome | undefined => {
  const where = place(context.machine, context.format.plainAddress(pcc.address));
  const refused = checkPage(context.machine, { place: where, touch: "execute" }, "cs1");
  return refused === undefined ? undefined : trapped(context, refused);
};

export const capabilityRules = {
  csetbounds: derive(cheri.setBounds),
  csetboundsexact: derive(cheri.setBoundsExact),
  csetaddr: derive(cheri.setAddress),
  cincoffset: derive(cheri.incOffset),
  csetoffset: derive(cheri.setOffset),
  cfromptr: derive(cheri.fromPointer),
  csetflags: derive(cheri.setFlags),
  csethigh: derive(cheri.setHigh),
  candperm: (context, { cd, cs1, words }) => {
    const mask = cheri.permissionMask(context.format.permissionBits, words);
    return giveCapability(context, cd, cheri.andPermissions(context.format, register(context, cs1), mask));
  },
  cseal: combine(cheri.seal),
  cunseal: combine(cheri.unseal),
  ccseal: combine(cheri.conditionalSeal),
  ccopytype: combine(cheri.copyType),
  cbuildcap: combine(cheri.buildCap),
  csealentry: (context, { cd, cs1 }) =>
    giveCapability(context, cd, cheri.sealEntry(context.format, register(context, cs1))),
  ccleartag: (context, { cd, cs1 }) => giveCapability(context, cd, cheri.clearTag(register(context, cs1))),
  cmove: (context, { cd, cs1 }) => giveCapability(context, cd, register(context, cs1)),
  ctestsubset: compare(cheri.testSubset),
  csetequalexact: compare((_, first, second) => cheri.equalExact(first, second)),
  csub: compare(cheri.subtract),
  ctoptr: compare(cheri.toPointer),
  crrl: (context, { cd, n }) =>
    giveInteger(context, cd, cheri.representableLength(context.format, integer(context, n))),
  cram: (context, { cd, n }) =>
    giveInteger(context, cd, cheri.representableAlignmentMask(context.format, integer(context, n))),
  cgetperm: get(cheri.getPermissions),
  cgettype: get(cheri.getType),
  cgetbase: get((_, capability) => capability.base),
  cgetlen: get(cheri.getLength),
  cgettop: get(cheri.getTop),
  cgettag: get((_, capability) => capability.tag),
  cgetsealed: get(cheri.isSealed),
  cgetoffset: get(cheri.getOffset),
  cgetflags: get((_, capability) => capability.flags),
  cgetaddr: get((_, capability) => capability.address),
  cgethigh: get(cheri.getHigh),
  li: (context, { cd, n }) => giveInteger(context, cd, integer(context, n)),
  cgetpcc: (context, { cd }) => giveCapability(context, cd, threadOf(context).pcc),
  cjalr: (context, { cd, cs1 }) => {
    const jump = cheri.jumpAndLink(context.format, threadOf(context).pcc, register(context, cs1));
    if ("trap" in jump) return trapped(context, jump);
    const refused = jumpTo(context, jump.pcc);
    if (refused !== undefined) return refused;
    return giveCapability(context, cd, jump.link, withThread(context.machine, context.thread, { pcc: jump.pcc }));
  },
  cinvoke: (context, { cs1, cs2 }) => {
    const jump = cheri.invoke(context.format, register(context, cs1), register(context, cs2));
    if ("trap" in jump) return trapped(context, jump);
    const refused = jumpTo(context, jump.pcc);
    if (refused !== undefined) return refused;
    const machine = withThread(context.machine, context.thread, { pcc: jump.pcc });
    return {
      machine: writeRegister(context, machine, operations.cinvoke.writes, jump.data),
      observation: { kind: "capability", capability: jump.data },
    };
  },
} satisfies Partial<Rules>;

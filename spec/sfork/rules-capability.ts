/** Capability operations as steps: operands from registers, results to `cd`. What they do stands in `spec/cheri`. */
import * as cheri from "../cheri/index.js";
import type { Capability, CapabilityFormat, Trap } from "../cheri/index.js";
import { giveCapability, giveInteger, integer, register, threadOf, trapped, withThread } from "./context.js";
import type { Context, Outcome } from "./context.js";
import type { Machine } from "./machine.js";
import { operations } from "./operation.js";
import { checkPage, place } from "./paging.js";
import type { RuleLike, Rules } from "./rules.js";

type OfOne<Result> = (format: CapabilityFormat, capability: Capability) => Result;
type OfTwo<Result> = (format: CapabilityFormat, first: Capability, second: Capability) => Result;

const derive =
  (operation: (format: CapabilityFormat, capability: Capability, n: bigint) => Capability): RuleLike<"csetbounds"> =>
  (context, { cd, cs1, n }) =>
    giveCapability(context, cd, operation(context.format, register(context, cs1), integer(context, n)));

const change =
  (operation: OfOne<Capability>): RuleLike<"cmove"> =>
  (context, { cd, cs1 }) =>
    giveCapability(context, cd, operation(context.format, register(context, cs1)));

const get =
  (operation: OfOne<bigint | boolean>): RuleLike<"cgetaddr"> =>
  (context, { cd, cs1 }) =>
    giveInteger(context, cd, operation(context.format, register(context, cs1)));

const combine =
  (operation: OfTwo<Capability>): RuleLike<"cseal"> =>
  (context, { cd, cs1, cs2 }) =>
    giveCapability(context, cd, operation(context.format, register(context, cs1), register(context, cs2)));

const compare =
  (operation: OfTwo<bigint | boolean>): RuleLike<"csub"> =>
  (context, { cd, cs1, cs2 }) =>
    giveInteger(context, cd, operation(context.format, register(context, cs1), register(context, cs2)));

/** A number that depends on the format alone. */
const round =
  (operation: (format: CapabilityFormat, n: bigint) => bigint): RuleLike<"li"> =>
  (context, { cd, n }) =>
    giveInteger(context, cd, operation(context.format, integer(context, n)));

/** A jump goes to a page that may be executed, or not at all; a fetch never resolves. */
const jumpTo = <Jump extends { readonly pcc: Capability }>(
  context: Context,
  jump: Trap | Jump,
  arrive: (machine: Machine, jump: Jump) => Outcome,
): Outcome => {
  if ("trap" in jump) return trapped(context, jump);
  const { machine, format, thread } = context;
  const where = place(machine, format.plainAddress(jump.pcc.address));
  const refused = checkPage(machine, { place: where, touch: "execute" }, "cs1");
  return refused === undefined
    ? arrive(withThread(machine, thread, { pcc: jump.pcc }), jump)
    : trapped(context, refused);
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
  csealentry: change(cheri.sealEntry),
  ccleartag: change((_, capability) => cheri.clearTag(capability)),
  cmove: change((_, capability) => capability),
  ctestsubset: compare(cheri.testSubset),
  csetequalexact: compare((_, first, second) => cheri.equalExact(first, second)),
  csub: compare(cheri.subtract),
  ctoptr: compare(cheri.toPointer),
  crrl: round(cheri.representableLength),
  cram: round(cheri.representableAlignmentMask),
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
  li: round((_, n) => n),
  cgetpcc: (context, { cd }) => giveCapability(context, cd, threadOf(context).pcc),
  cjalr: (context, { cd, cs1 }) => {
    const jump = cheri.jumpAndLink(context.format, threadOf(context).pcc, register(context, cs1));
    return jumpTo(context, jump, (machine, { link }) => giveCapability(context, cd, link, machine));
  },
  cinvoke: (context, { cs1, cs2 }) => {
    const jump = cheri.invoke(context.format, register(context, cs1), register(context, cs2));
    const { writes } = operations.cinvoke;
    return jumpTo(context, jump, (machine, { data }) => giveCapability(context, writes, data, machine));
  },
} satisfies Partial<Rules>;

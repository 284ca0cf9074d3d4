/** Capability operations: where numbers go, and which results are the same wherever regions lie. */
import { buildCap, copyType, hasReservedOtype, setAddress, type Capability } from "../../spec/cheri/index.js";
import type { Integer, OperationOf } from "../../spec/sfork/operation.js";
import { derivedIf, from, plain, type Answer, type Flow, type FlowLike, type Flows } from "./flow.js";
import type { Look } from "./look.js";

/** What is derived with a number: of a tagged capability the number decides the tag. */
const derive: FlowLike<"csetbounds"> = {
  oblivious: "by-operands",
  decides: ({ n }) => [n],
  unless: (look, { cs1 }) => look.isInert(cs1),
  answer: (look, { cs1, n }) => derivedIf(look.isDerived(cs1) || look.isDerivedInteger(n)),
};

const change: FlowLike<"cmove"> = from((look, { cs1 }) => look.isDerived(cs1));

/** The numbers of a tagged capability that tell where it is. */
const locate: FlowLike<"cgetaddr"> = from((look, { cs1 }) => look.isDerived(cs1));

/** Those that do not. */
const inspect: FlowLike<"cgetlen"> = from((look, { cs1 }) => !look.value(cs1).tag && look.isDerived(cs1));

/** A tag decides nothing that is not the same everywhere: if there is one, then on both sides. */
const combine: FlowLike<"cseal"> = from((look, { cs1, cs2 }) => look.isDerived(cs1, cs2));

/** Bounds and numbers of tagged capabilities compare alike wherever they lie; with an untagged one they never agree. */
const compare: FlowLike<"ctestsubset"> = from(
  (look, { cs1, cs2 }) => !look.value(cs1).tag && !look.value(cs2).tag && look.isDerived(cs1, cs2),
);

/** A distance is the same if both ends move alike. */
const isFarDerived = (look: Look, { cs1, cs2 }: { readonly cs1: number; readonly cs2: number }): boolean =>
  look.isDerived(cs1, cs2) && !look.moveAlike(cs1, cs2);

const sameRegister = ({ cs1, cs2 }: { readonly cs1: number; readonly cs2: number }): boolean => cs1 % 16 === cs2 % 16;

/** An integer operand as the other machine has it; undefined where that cannot be known. */
const integerElsewhere = (look: Look, n: Integer): bigint | undefined => {
  if ("register" in n && look.value(n.register).tag) return look.elsewhere(n.register).address;
  return look.isDerivedInteger(n) ? undefined : look.integer(n);
};

/** A number became an address. That is oblivious only if the result has no tag, here or elsewhere. */
const placed = (look: Look, isTaggedElsewhere: boolean): Answer =>
  look.gaveTagged || isTaggedElsewhere ? "outside" : "derived";

/** The address is another's, from a register: of one that moves alike, the result does, too. */
const csetaddr: Flow<"csetaddr"> = {
  oblivious: "by-values",
  decides: () => [],
  answer: (look, { cs1, n }) => {
    const isDerived = look.isDerived(cs1) || look.isDerivedInteger(n);
    if (look.isInert(cs1) || !isDerived) return derivedIf(isDerived);
    if ("register" in n && look.moveAlike(cs1, n.register)) return "derived";
    const address = integerElsewhere(look, n);
    if (address === undefined) return "outside";
    return placed(look, setAddress(look.context.format, look.elsewhere(cs1), address).tag);
  },
};

/** As `csetaddr`, with an object type for the number. */
const ccopytype: Flow<"ccopytype"> = {
  oblivious: "by-values",
  decides: () => [],
  answer: (look, { cs1, cs2 }) => {
    const { format } = look.context;
    const typed = look.value(cs2);
    if (look.isInert(cs1)) return derivedIf(look.isDerived(cs1, cs2));
    if (!typed.tag && look.isDerived(cs2)) return "outside";
    if (!look.isPlaced(cs1) || hasReservedOtype(format, typed)) return derivedIf(look.isDerived(cs1));
    return placed(look, copyType(format, look.elsewhere(cs1), typed).tag);
  },
};

/** A capability from a number; where that is nothing but an object type, a number is what it should be. */
const cfromptr: Flow<"cfromptr"> = {
  oblivious: "by-values",
  decides: ({ n }) => [n],
  unless: (look, { cs1 }) => look.isInert(cs1),
  answer: (look, { cs1, n }) => {
    if (!look.isDerivedInteger(n) && look.integer(n) === 0n) return "plain";
    if (look.gaveTagged && look.isPlaced(cs1)) return "outside";
    return derivedIf(look.isDerived(cs1) || look.isDerivedInteger(n));
  },
};

/** The numbers are the second operand's, tagged or not. */
const cbuildcap: Flow<"cbuildcap"> = {
  oblivious: "by-values",
  decides: () => [],
  answer: (look, { cs1, cs2 }) => {
    const requested: Capability = look.value(cs2);
    if (look.isInert(cs1) || requested.tag) return derivedIf(look.isDerived(cs2));
    if (look.isDerived(cs2)) return "outside";
    if (!look.isPlaced(cs1)) return "plain";
    const built = buildCap(look.context.format, look.elsewhere(cs1), requested);
    return look.gaveTagged || built.tag ? "outside" : "plain";
  },
};

/** Nothing but numbers in registers. */
const compute: FlowLike<"li"> = from((look, { n }) => look.isDerivedInteger(n));

/** `pcc` is always a capability to code, or was one. */
const jump = from(() => true);

type Names =
  | (
      | "csetbounds"
      | "csetboundsexact"
      | "csetaddr"
      | "cincoffset"
      | "csetoffset"
      | "cfromptr"
      | "csetflags"
      | "csethigh"
    )
  | ("candperm" | "cseal" | "cunseal" | "ccseal" | "ccopytype" | "cbuildcap" | "csealentry" | "ccleartag" | "cmove")
  | ("ctestsubset" | "csetequalexact" | "csub" | "ctoptr" | "crrl" | "cram" | "cgetperm" | "cgettype" | "cgetbase")
  | ("cgetlen" | "cgettop" | "cgettag" | "cgetsealed" | "cgetoffset" | "cgetflags" | "cgetaddr" | "cgethigh" | "cjalr")
  | ("cinvoke" | "li" | "cgetpcc");

export const capabilityFlows: Pick<Flows, Names> = {
  csetbounds: derive,
  csetboundsexact: derive,
  csetaddr,
  cincoffset: derive,
  csetoffset: derive,
  cfromptr,
  csetflags: derive,
  // Never tagged.
  csethigh: from((look, { cs1, n }) => look.isDerived(cs1) || look.isDerivedInteger(n)),
  candperm: from((look, { cs1 }) => look.isDerived(cs1)),
  cseal: combine,
  cunseal: combine,
  ccseal: combine,
  ccopytype,
  cbuildcap,
  csealentry: change,
  ccleartag: change,
  cmove: change,
  ctestsubset: compare,
  csetequalexact: from(
    (look, { cs1, cs2 }) =>
      !look.value(cs1).tag && !look.value(cs2).tag && look.isDerived(cs1, cs2) && !sameRegister({ cs1, cs2 }),
  ),
  csub: from((look, operands) => isFarDerived(look, operands) && !sameRegister(operands)),
  // Of an untagged one it is 0.
  ctoptr: from((look, operands: OperationOf<"ctoptr">) => look.value(operands.cs1).tag && isFarDerived(look, operands)),
  crrl: compute,
  cram: compute,
  cgetperm: inspect,
  cgettype: inspect,
  cgetbase: locate,
  cgetlen: inspect,
  cgettop: locate,
  cgettag: plain(),
  cgetsealed: inspect,
  cgetoffset: inspect,
  cgetflags: inspect,
  cgetaddr: locate,
  cgethigh: locate,
  cjalr: jump,
  cinvoke: jump,
  li: compute,
  cgetpcc: jump,
};

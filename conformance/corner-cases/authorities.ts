/** Corner cases of operations on two capabilities, one of which is authority for what becomes of the other; and of jumps. */
import { isSealed, permits, type Capability } from "../../spec/cheri/index.js";
import type { CornerCases } from "./case.js";
import type { Evidence } from "./evidence.js";

const sealing = ["cseal", "ccseal", "cunseal"] as const;

/** What the step is given as authority: to seal or unseal with, or to build from. */
const authority = ({ operation, register }: Evidence): Capability | undefined => {
  if (operation.op === "cbuildcap") return register(operation.cs1);
  return operation.op === "cseal" || operation.op === "ccseal" || operation.op === "cunseal"
    ? register(operation.cs2)
    : undefined;
};

/** A pair that is invoked. */
const pair = (evidence: Evidence): { readonly code: Capability; readonly data: Capability } | undefined => {
  const { operation, register } = evidence;
  return operation.op === "cinvoke" ? { code: register(operation.cs1), data: register(operation.cs2) } : undefined;
};

/** Bytes from an address to the top of its bounds; 0 where it lies outside. */
const room = ({ address, base, top }: Capability): bigint => (address >= base && address < top ? top - address : 0n);

export const authorityCases = {
  "sealed-authority": {
    description: "what is to be authority is sealed itself",
    on: [...sealing, "cbuildcap"],
    reached: (evidence) => {
      const given = authority(evidence);
      return given?.tag === true && isSealed(evidence.before.format, given);
    },
  },
  "authority-of-no-right": {
    description: "what is to be authority to seal or unseal may do neither",
    on: sealing,
    reached: (evidence) => {
      const { format } = evidence.before;
      const given = authority(evidence);
      return given?.tag === true && !permits(format, given, "seal") && !permits(format, given, "unseal");
    },
  },
  "authority-past-its-types": {
    description: "authority to seal or unseal points past the types that it is for",
    on: sealing,
    reached: (evidence) => {
      const given = authority(evidence);
      return given?.tag === true && permits(evidence.before.format, given, "seal") && room(given) === 0n;
    },
  },
  "unsealed-by-another-type": {
    description: "what is sealed with one type is to be unsealed with another",
    on: ["cunseal"],
    reached: (evidence) => {
      const { before, operation, register } = evidence;
      if (operation.op !== "cunseal") return false;
      const [sealed, given] = [register(operation.cs1), register(operation.cs2)];
      return sealed.tag && given.tag && isSealed(before.format, sealed) && given.address !== sealed.otype;
    },
  },
  "built-beyond-authority": {
    description: "a capability is to be built that has more than its authority: bytes, or rights",
    on: ["cbuildcap"],
    reached: (evidence) => {
      const { operation, register } = evidence;
      if (operation.op !== "cbuildcap") return false;
      const [given, bits] = [register(operation.cs1), register(operation.cs2)];
      const isMore = bits.base < given.base || bits.top > given.top || (bits.permissions & ~given.permissions) !== 0n;
      return given.tag && isMore;
    },
  },
  "invoked-unfit": {
    description: "a pair sealed with one type is invoked whose code cannot be executed, or whose data can",
    on: ["cinvoke"],
    reached: (evidence) => {
      const { format } = evidence.before;
      const given = pair(evidence);
      if (given === undefined || given.code.otype !== given.data.otype) return false;
      const sealed = [given.code, given.data].every((one) => one.tag && isSealed(format, one));
      return sealed && (!permits(format, given.code, "execute") || permits(format, given.data, "execute"));
    },
  },
  "invoked-half": {
    description: "a pair is invoked of which one is sealed and the other is not, or with another type",
    on: ["cinvoke"],
    reached: (evidence) => {
      const { code, data } = pair(evidence) ?? {};
      return code?.tag === true && data?.tag === true && code.otype !== data.otype;
    },
  },
  "jump-to-few-bytes": {
    description: "a jump to code of fewer bytes than an instruction has",
    on: ["cjalr"],
    reached: (evidence) => {
      const { operation, register, before } = evidence;
      if (operation.op !== "cjalr") return false;
      const to = register(operation.cs1);
      return to.tag && permits(before.format, to, "execute") && room(to) < 4n;
    },
  },
} as const satisfies CornerCases;

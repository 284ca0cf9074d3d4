/** Corner cases at the edges of what a word can say: of the window of its bounds, of the address space, of its rights. */
import { isSealed, permits, type Capability } from "../../spec/cheri/index.js";
import { regionBase } from "../../spec/sfork/machine.js";
import type { CornerCases } from "./case.js";
import type { Evidence } from "./evidence.js";

const moving = ["csetaddr", "cincoffset", "csetoffset"] as const;

const forUsers = ["user0", "user1", "user2", "user3"] as const;

/** The capability that the step derives from. */
const source = ({ operation, register }: Evidence): Capability | undefined =>
  "cs1" in operation ? register(operation.cs1) : undefined;

/** Where the step puts, or would put, the cursor. */
const destination = (evidence: Evidence, { address, base }: Capability): bigint | undefined => {
  const { operation, before } = evidence;
  const from = { csetaddr: 0n, cincoffset: address, csetoffset: base };
  if (operation.op !== "csetaddr" && operation.op !== "cincoffset" && operation.op !== "csetoffset") return undefined;
  return BigInt.asUintN(Number(before.format.addressBits), from[operation.op] + evidence.integer(operation.n));
};

export const edgeCases = {
  "window-edge": {
    description:
      "a cursor is moved to within two units of an edge of the window in which the bounds stay what they are",
    on: moving,
    reached: (evidence) => {
      const { format } = evidence.before;
      const from = source(evidence);
      const to = from && destination(evidence, from);
      if (from?.tag !== true || to === undefined || isSealed(format, from)) return false;
      const unit = 1n << format.decodeBounds(from.metadata, from.address).exponent;
      const keeps = (address: bigint): boolean => {
        const { base, top } = format.decodeBounds(from.metadata, BigInt.asUintN(Number(format.addressBits), address));
        return base === from.base && top === from.top;
      };
      return keeps(to - 2n * unit) !== keeps(to + 2n * unit);
    },
  },
  "fork-cursor-wraps": {
    description: "a child inherits a capability whose cursor passes the end of the address space on its way",
    on: ["fork"],
    reached: (evidence) => {
      const { transition, before, after, slot } = evidence;
      const { observation } = transition;
      const child = observation.kind === "child" ? after.processes[observation.child] : undefined;
      if (child === undefined) return false;
      const delta = regionBase(before.config, child.slot) - regionBase(before.config, slot);
      const end = 1n << before.format.addressBits;
      return [...evidence.inheritedRegisters, ...evidence.inheritedCapabilities].some(
        ({ tag, address }) => tag && (address + delta >= end || address + delta < 0n),
      );
    },
  },
  "user-permissions": {
    description: "some of several permissions for software are taken away, and others kept",
    on: ["candperm"],
    reached: (evidence) => {
      const { operation, before, result } = evidence;
      const from = source(evidence);
      if (operation.op !== "candperm" || from === undefined || result === undefined) return false;
      const has = forUsers.filter((one) => permits(before.format, from, one));
      const kept = has.filter((one) => permits(before.format, result, one));
      return kept.length > 0 && kept.length < has.length;
    },
  },
} as const satisfies CornerCases;

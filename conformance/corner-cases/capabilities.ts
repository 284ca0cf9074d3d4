/** Corner cases of capabilities, apart from processes. */
import { isSealed, permits, type Capability } from "../../spec/cheri/index.js";
import { isMemoryCapability } from "../../spec/sfork/relocate.js";
import { accessing, storing, type CornerCases } from "./case.js";
import type { Evidence } from "./evidence.js";

/** The memory capability that the step made. */
const made = (evidence: Evidence): Capability | undefined => {
  const { result } = evidence;
  return result?.tag === true && isMemoryCapability(evidence.before.format, result) ? result : undefined;
};

const bounding = ["csetbounds", "csetboundsexact"] as const;
const moving = ["csetaddr", "cincoffset", "csetoffset"] as const;

/** Does adding to an address go past either end of the address space? */
const wraps = ({ before: { format } }: Evidence, address: bigint, n: bigint): boolean => {
  const sum = address + BigInt.asIntN(Number(format.addressBits), n);
  return sum < 0n || sum >= 1n << format.addressBits;
};

/** The first operand, where there is one. */
const source = (evidence: Evidence): Capability | undefined =>
  "cs1" in evidence.operation ? evidence.register(evidence.operation.cs1) : undefined;

export const capabilityCases = {
  "whole-region-bounds": {
    description: "bounds are set to the whole data part, the most that one capability of a process covers",
    on: bounding,
    reached: (evidence) => {
      const { config } = evidence.before;
      const result = made(evidence);
      const { start } = evidence.region;
      const bytes = BigInt(Math.floor(config.pages / 2) * config.page);
      return result?.base === start && result.top === start + bytes;
    },
  },
  "cursor-one-past-end": {
    description: "a tagged capability points one past its end",
    on: [...moving, ...bounding, "loadcap", "recvcap"],
    reached: (evidence) => {
      const result = made(evidence);
      return result !== undefined && result.address === result.top && result.base < result.top;
    },
  },
  "cursor-below-base": {
    description: "a tagged capability points below its base",
    on: [...moving, ...bounding, "loadcap", "recvcap"],
    reached: (evidence) => {
      const result = made(evidence);
      return result !== undefined && result.address < result.base;
    },
  },
  "cursor-wrap": {
    description: "a cursor, or the address of an access, goes past an end of the address space",
    on: ["cincoffset", "csetoffset", ...accessing],
    reached: (evidence) => {
      const { operation } = evidence;
      if (!("n" in operation) || !("cs1" in operation) || operation.op === "cmemcpy" || operation.op === "memset")
        return false;
      const { address, base, tag } = evidence.register(operation.cs1);
      if (!tag) return false;
      const from = operation.op === "csetoffset" ? base : address;
      return wraps(evidence, from, evidence.integer(operation.n));
    },
  },
  "zero-length-at-region-start": {
    description: "a tagged capability of no bytes is made at a region's first byte",
    on: bounding,
    reached: (evidence) => {
      const result = made(evidence);
      return result?.base === evidence.region.start && result.top === result.base;
    },
  },
  "zero-length-at-region-end": {
    description: "a tagged capability of no bytes is made one past a region's last byte",
    on: bounding,
    reached: (evidence) => {
      const result = made(evidence);
      return result?.base === evidence.region.end && result.top === result.base;
    },
  },
  "inexact-bounds": {
    description: "bounds are rounded outward, and the tag stays",
    on: ["csetbounds"],
    reached: (evidence) => {
      const result = made(evidence);
      const { operation } = evidence;
      return result !== undefined && "n" in operation && result.top - result.base !== evidence.integer(operation.n);
    },
  },
  "unrepresentable-cursor": {
    description: "an unsealed capability loses its tag because its cursor goes too far",
    on: moving,
    reached: (evidence) => {
      const from = source(evidence);
      return from?.tag === true && !isSealed(evidence.before.format, from) && evidence.result?.tag === false;
    },
  },
  "sealed-changed": {
    description: "a sealed capability is changed and loses its tag",
    on: [...moving, ...bounding, "candperm", "csetflags"],
    reached: (evidence) => {
      const from = source(evidence);
      return from?.tag === true && isSealed(evidence.before.format, from) && evidence.result?.tag === false;
    },
  },
  "load-without-load-cap": {
    description: "a tagged granule is loaded through a capability without Load-Capability",
    on: ["loadcap"],
    reached: (evidence) => {
      const [access] = evidence.accesses;
      if (access === undefined || evidence.result === undefined) return false;
      const tagged = evidence.granuleAt(evidence.before, access.address)?.tag === true;
      return tagged && !permits(evidence.before.format, access.authority, "load-cap");
    },
  },
  "local-capability-store": {
    description: "a local capability is stored, or refused, through one that may not store local ones",
    on: ["storecap"],
    reached: (evidence) => {
      const { operation, before } = evidence;
      const value = operation.op === "storecap" ? evidence.register(operation.cs2) : undefined;
      const authority = source(evidence);
      if (value?.tag !== true || authority === undefined || permits(before.format, value, "global")) return false;
      const reached = evidence.succeeded || evidence.trappedBy("perm-store-local");
      return (
        reached && permits(before.format, authority, "store-cap") && !permits(before.format, authority, "store-local")
      );
    },
  },
  "store-without-store-cap": {
    description: "a tagged capability is stored, or refused, through one without Store-Capability",
    on: ["storecap"],
    reached: (evidence) => {
      const { operation, before } = evidence;
      const tagged = operation.op === "storecap" && evidence.register(operation.cs2).tag;
      const authority = source(evidence);
      const reached = evidence.succeeded || evidence.trappedBy("perm-store-cap");
      return tagged && reached && authority !== undefined && !permits(before.format, authority, "store-cap");
    },
  },
  "invoke-sealed-pair": {
    description: "two capabilities that were sealed with the same type are invoked",
    on: ["cinvoke"],
    reached: (evidence) => {
      const { operation } = evidence;
      if (operation.op !== "cinvoke") return false;
      const [code, data] = [evidence.register(operation.cs1), evidence.register(operation.cs2)];
      const sealed = [code, data].every((one) => one.tag && isSealed(evidence.before.format, one));
      return sealed && code.otype === data.otype && code.otype !== evidence.before.format.otypes.sentry;
    },
  },
  "half-overwritten-granule": {
    description: "bytes of a tagged granule are overwritten, and others stay",
    on: storing,
    reached: (evidence) => {
      if (!evidence.succeeded) return false;
      const { granule } = evidence.before.format;
      return evidence.writes.some(({ address, size }) => {
        const ends = [address, address + size].filter((end) => size > 0n && end % granule !== 0n);
        return ends.some((end) => {
          const tagged = evidence.granuleAt(evidence.before, end)?.tag === true;
          return tagged && evidence.granuleAt(evidence.after, end)?.tag === false;
        });
      });
    },
  },
} as const satisfies CornerCases;

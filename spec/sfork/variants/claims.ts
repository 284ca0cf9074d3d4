/**
 * What people believe of a fork in one address space, and what is not so: sixteen false rules, each beside the true one, for
 * the tool to refute.
 */
import { trap } from "../../cheri/index.js";
import { regionSize, type StrategyName } from "../config.js";
import { sendingAs } from "../rules-channel.js";
import { rules } from "../step.js";
import type { Claim } from "./claim.js";
import { pinningRules } from "./device.js";
import { imageByAddress, imageByDistance, imageByNumbers, imageFromRoot } from "./images.js";

const inOneSpace: readonly StrategyName[] = ["eager", "coa", "copa"];
const lazy: readonly StrategyName[] = ["coa", "copa"];

export const claims = {
  "CLAIM-1": {
    belief: "copy-on-write without a pointer trap is enough",
    truth: "FORK-8",
    because: "a page that is only read is never copied: its pointers are loaded as they are, and mean the parent",
    breaks: ["INV-1", "INV-2"],
    strategies: ["naive-cow"],
  },
  "CLAIM-2": {
    belief: "segment sharing isolates a child from its parent",
    truth: "FORK-2",
    because: "a child has copies of its parent's pages, not the pages",
    breaks: ["INV-6"],
    strategies: ["shared-segments"],
  },
  "CLAIM-3": {
    belief: "deciding relocation by a capability's address is safe",
    truth: "FORK-3",
    because: "bounds say whose memory a capability means; its address may lie anywhere",
    breaks: ["INV-1", "INV-3"],
    strategies: inOneSpace,
    laws: { image: imageByAddress },
    prototype: "copy_page",
  },
  "CLAIM-4": {
    belief: "re-deriving the child's pointer from the process's root keeps permissions, bounds and seals",
    truth: "FORK-3",
    because: "a capability keeps its length, its permissions and its seal when it moves",
    breaks: ["INV-3", "INV-5", "INV-8"],
    strategies: inOneSpace,
    laws: { image: imageFromRoot },
    prototype: "move_capability",
  },
  "CLAIM-5": {
    belief: "numbers decide: sealing authority, or a plain integer, that falls inside the region may be moved",
    truth: "CAP-6, FORK-7",
    because: "object types are no addresses, and data without a tag is no pointer, whatever its numbers",
    breaks: ["INV-3"],
    strategies: inOneSpace,
    laws: { image: imageByNumbers },
    // Low enough that the object types of `c4` are numbers of the first region.
    places: (config) => ({ ...config, base: 0n }),
  },
  "CLAIM-6": {
    belief: "any page-aligned delta preserves every capability",
    truth: "CFG-1, FORK-6",
    because: "compressed bounds are exact only at distances that the largest capability of a region can move",
    breaks: ["INV-3", "INV-4"],
    strategies: inOneSpace,
    places: (config) => ({ ...config, stride: regionSize(config) + BigInt(config.guard) }),
  },
  "CLAIM-7": {
    belief: "copy-on-pointer-access is indistinguishable from an eager copy for all programs",
    truth: "REF-2",
    because:
      "the bytes of a pointer that was not loaded yet are the parent's: a program that reads them is outside the profile",
    breaks: ["REF-2"],
    strategies: ["copa"],
    laws: { staleReads: false },
  },
  "CLAIM-8": {
    belief: "regions may be reused without clearing and revocation",
    truth: "REUSE-1",
    because: "the end of memory is a sweep: whoever still points there would reach the next owner",
    breaks: ["INV-9", "INV-1"],
    at: ["fork"],
    strategies: inOneSpace,
    laws: { isDead: () => false },
    prototype: "remove_process",
  },
  "CLAIM-9": {
    belief: "a program that keys a table by addresses survives a fork",
    truth: "REF-3",
    because: "in the child every address is another: what depends on one is not promised to stay",
    breaks: ["REF-3"],
    at: ["cgetaddr", "cgetbase", "cgettop"],
    strategies: ["eager"],
  },
  "CLAIM-10": {
    belief: "faults may be handled for the running process instead of the page's owner",
    truth: "MEM-4",
    because: "who touches a page by a grant does not own it: its pointers must mean the owner's memory",
    breaks: ["INV-6"],
    strategies: lazy,
    laws: { resolvedFor: (_owner, running) => running },
    prototype: "handle_level3_page_fault",
  },
  "CLAIM-11": {
    belief: "the distance between regions may be an absolute value that is always added",
    truth: "FORK-3",
    because: "a child may live below its parent: the distance has a sign",
    breaks: ["INV-1", "INV-3"],
    strategies: inOneSpace,
    laws: { image: imageByDistance },
    prototype: "offset_address_process",
  },
  "CLAIM-12": {
    belief: "kernel-held pointers need no relocation",
    truth: "FORK-4",
    because: "handlers, like registers, are the child's: what they name must be its memory",
    breaks: ["INV-2"],
    strategies: inOneSpace,
    laws: { heldImage: (_format, capability) => capability },
  },
  "CLAIM-13": {
    belief: "a device may complete into the frame that the page had when the buffer was submitted",
    truth: "DMA-1",
    because: "the submitter may have another frame by now, and somebody else the old one",
    breaks: ["INV-6"],
    strategies: lazy,
    rules: pinningRules,
  },
  "CLAIM-14": {
    belief: "shared mappings may hold capabilities",
    truth: "MEM-7",
    because: "a private pointer in shared memory would mean one process's memory to all",
    breaks: ["INV-1"],
    strategies: inOneSpace,
    laws: { checkSegment: (touch, operand) => (touch === "execute" ? trap("page-exec", operand) : undefined) },
  },
  "CLAIM-15": {
    belief: "a grant may keep load-capability; sealed capabilities may pass a channel",
    truth: "CHAN-2",
    because:
      "what can load capabilities hands on whatever is stored there later, and a seal opens for whoever has the type",
    breaks: ["INV-1"],
    strategies: inOneSpace,
    rules: { ...rules, sendcap: sendingAs((_machine, capability) => (capability.tag ? capability : undefined)) },
  },
  "CLAIM-16": {
    belief: "a sweep may judge raw frames",
    truth: "REUSE-3",
    because: "what a frame holds of an image that has ended is its heir's pointer, which was not moved yet",
    breaks: ["INV-8", "INV-6"],
    strategies: lazy,
    laws: { isSpared: () => false },
  },
} as const satisfies Readonly<Record<string, Claim>>;

export type ClaimName = keyof typeof claims;

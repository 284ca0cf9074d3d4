/** Corner cases of the end of processes, of waiting, and of mapping memory. */
import { isMemoryCapability, liesWithin } from "../../spec/sfork/relocate.js";
import { regionBase } from "../../spec/sfork/machine.js";
import { committed } from "../../spec/sfork/rules-mapping.js";
import { viewPage } from "../../spec/invariants/view.js";
import { ending, type CornerCases } from "./case.js";
import type { Evidence } from "./evidence.js";

/** Who the step reaped. */
const reaped = ({ transition: { observation } }: Evidence): number | undefined =>
  observation.kind === "process" ? observation.process : undefined;

const namesAny = ({ operation }: Evidence): boolean => operation.op === "wait" && operation.whom === undefined;

/** A granule of the own view lost its tag, in pages that pass. */
const clearsOwn = (evidence: Evidence, pages: (index: number) => boolean): boolean => {
  const { before, after, slot } = evidence;
  if (!evidence.succeeded || before.frames === after.frames) return false;
  return (before.regions[slot] ?? []).some((entry, index) => {
    const now = after.regions[slot]?.[index];
    if (entry === undefined || now === undefined || !pages(index)) return false;
    if (before.frames[entry.frame] === after.frames[now.frame]) return false;
    const old = viewPage(before, slot, index)?.granules ?? [];
    const seen = viewPage(after, slot, index)?.granules ?? [];
    return old.some(({ tag }, at) => tag && seen[at]?.tag === false);
  });
};

const isUnresolved = ({ before, slot }: Evidence, index: number): boolean => {
  const entry = before.regions[slot]?.[index];
  const frame = entry === undefined ? undefined : before.frames[entry.frame];
  return frame !== undefined && frame.home !== regionBase(before.config, slot);
};

/** A register of the process lost its tag by a sweep. */
const clearsRegister = (evidence: Evidence, zeroLength: boolean): boolean =>
  evidence.succeeded &&
  evidence.before.threads.some(({ registers, live, process }, thread) =>
    registers.some(
      (one, index) =>
        live &&
        process === evidence.process &&
        one.tag &&
        (!zeroLength || one.base === one.top) &&
        evidence.after.threads[thread]?.registers[index]?.tag === false,
    ),
  );

export const processCases = {
  "exit-before-child": {
    description: "a process ends before a child of its own",
    on: ending,
    reached: ({ before, ending }) =>
      ending !== undefined &&
      ending !== 0 &&
      before.processes.some(({ parent, state }) => parent === ending && state.kind === "live"),
  },
  "exit-before-descendant-resolves": {
    description: "a process ends while pages of others hold pointers that are meant for its region",
    on: ending,
    reached: (evidence) => {
      const { after, ending, region } = evidence;
      if (ending === undefined || ending === 0) return false;
      return after.frames.some(
        (frame) =>
          frame?.home === region.start &&
          frame.memory.some(({ tag, bits }) => {
            const one = tag ? after.format.decode(after.format.fromMemory(bits), true) : undefined;
            return one !== undefined && isMemoryCapability(after.format, one) && liesWithin(one, region);
          }),
      );
    },
  },
  "exit-with-zombie-child": {
    description: "a process ends without having waited for a child that ended before",
    on: ending,
    reached: ({ before, ending }) =>
      ending !== undefined &&
      ending !== 0 &&
      before.processes.some(({ parent, state }) => parent === ending && state.kind === "zombie"),
  },
  "exit-of-threads": {
    description: "a process with several threads ends",
    on: ending,
    reached: ({ before, ending }) =>
      before.threads.filter(({ live, process }) => live && process === ending).length > 1,
  },
  "thread-refused": {
    description: "a process has as many threads as it may have",
    on: ["thread"],
    reached: (evidence) => evidence.failedWith("EAGAIN"),
  },
  "thread-exit-ends-process": {
    description: "the last thread of a process ends, and the process with it",
    on: ["thread_exit"],
    reached: ({ ending }) => ending !== undefined,
  },
  "wait-before-end": {
    description: "a wait while all children live would block",
    on: ["wait"],
    reached: ({ transition: { observation } }) => observation.kind === "would-block",
  },
  "wait-after-end": {
    description: "a wait for any child that ended",
    on: ["wait"],
    reached: (evidence) => reaped(evidence) !== undefined && namesAny(evidence),
  },
  "wait-for-named": {
    description: "a wait for one child by name",
    on: ["wait"],
    reached: (evidence) => reaped(evidence) !== undefined && !namesAny(evidence),
  },
  "wait-without-children": {
    description: "a wait of a process without children",
    on: ["wait"],
    reached: (evidence) => evidence.failedWith("ECHILD"),
  },
  "wait-for-orphan": {
    description: "process 0 waits for a process that another had forked",
    on: ["wait"],
    reached: (evidence) => {
      const child = reaped(evidence);
      return child !== undefined && evidence.history.forkedBy.get(child) !== evidence.process;
    },
  },
  "wait-for-chosen": {
    description: "a wait that reaps another than the first to end",
    on: ["wait"],
    reached: (evidence) => {
      const child = reaped(evidence);
      const chosen = child === undefined ? undefined : evidence.before.processes[child]?.state;
      return (
        chosen?.kind === "zombie" &&
        namesAny(evidence) &&
        evidence.before.processes.some(
          ({ parent, state }) => parent === evidence.process && state.kind === "zombie" && state.ended < chosen.ended,
        )
      );
    },
  },
  "mmap-reuses-pages": {
    description: "a mapping gets pages that were unmapped before",
    on: ["mmap"],
    reached: (evidence) =>
      evidence.succeeded &&
      (evidence.after.regions[evidence.slot] ?? []).some(
        (entry, index) =>
          entry !== undefined &&
          evidence.before.regions[evidence.slot]?.[index] === undefined &&
          evidence.history.unmapped.has(`${evidence.slot}:${index}`),
      ),
  },
  "mmap-fails-without-room": {
    description: "a mapping fails because no run of pages is free",
    on: ["mmap"],
    reached: (evidence) => {
      const { operation, before } = evidence;
      if (!evidence.failedWith("ENOMEM") || operation.op !== "mmap") return false;
      const pages = Math.ceil(Number(evidence.integer(operation.n)) / before.config.page);
      return before.config.commit === "overcommit" || committed(before) + pages <= before.config.frames;
    },
  },
  "mmap-fails-without-commit": {
    description: "a mapping fails because the frames would not suffice",
    on: ["mmap"],
    reached: (evidence) => {
      const { operation, before } = evidence;
      if (!evidence.failedWith("ENOMEM") || operation.op !== "mmap") return false;
      const pages = Math.ceil(Number(evidence.integer(operation.n)) / before.config.page);
      return pages < before.config.pages && committed(before) + pages > before.config.frames;
    },
  },
  "mapping-write-and-execute": {
    description: "memory that could be written and executed is refused",
    on: ["mmap", "mprotect"],
    reached: ({ operation, transition: { observation } }) =>
      observation.kind === "error" &&
      "protection" in operation &&
      operation.protection.write &&
      operation.protection.execute,
  },
  "munmap-of-part": {
    description: "part of a mapping is unmapped, its neighbour stays",
    on: ["munmap"],
    reached: (evidence) => {
      const { operation, before } = evidence;
      if (!evidence.succeeded || operation.op !== "munmap") return false;
      const { base, top } = evidence.register(operation.cs1);
      const page = BigInt(before.config.page);
      const ended = evidence.transition.ended.reduce((sum, range) => sum + (range.end - range.start), 0n);
      return top - base >= ended + page;
    },
  },
  "munmap-clears-registers": {
    description: "the end of a mapping clears pointers to it in registers",
    on: ["munmap"],
    reached: (evidence) => clearsRegister(evidence, false),
  },
  "munmap-clears-pcc": {
    description: "the code that a thread stands in is unmapped",
    on: ["munmap"],
    reached: ({ before, after }) =>
      before.threads.some(({ live, pcc }, thread) => live && pcc.tag && after.threads[thread]?.pcc.tag === false),
  },
  "munmap-clears-zero-length": {
    description: "the end of a mapping clears a capability of no bytes at its edge",
    on: ["munmap"],
    reached: (evidence) => clearsRegister(evidence, true),
  },
  "munmap-clears-memory": {
    description: "the end of a mapping clears pointers to it in the own memory",
    on: ["munmap"],
    reached: (evidence) => clearsOwn(evidence, () => true),
  },
  "munmap-clears-unresolved-page": {
    description: "the end of a mapping clears a pointer to it in a page that was unresolved",
    on: ["munmap"],
    reached: (evidence) => clearsOwn(evidence, (index) => isUnresolved(evidence, index)),
  },
} as const satisfies CornerCases;

/** Corner cases of other images, and of pages of which a child gets zeros, or nothing. */
import { isMemoryCapability, liesWithin } from "../../spec/sfork/relocate.js";
import { viewPage } from "../../spec/invariants/view.js";
import { regionBase } from "../../spec/sfork/machine.js";
import { accessing, type CornerCases } from "./case.js";
import type { Evidence } from "./evidence.js";

const executing = ["exec"] as const;
const forking = ["fork"] as const;

/** Pages of the forking process, by what was said of a fork. */
const marked = ({ before, slot, child }: Evidence, mark: "dontFork" | "wipeOnFork"): readonly number[] =>
  child === undefined
    ? []
    : (before.regions[slot] ?? []).flatMap((entry, index) => (entry?.advice[mark] === true ? [index] : []));

const childSlot = ({ after, child }: Evidence): number => after.processes[child ?? 0]?.slot ?? 0;

/** Tags that the parent's registers have and the child's have not. */
const losesInRegister = ({ before, after, transition }: Evidence): boolean => {
  const child = after.threads.at(-1)?.registers ?? [];
  const { operation, thread } = transition;
  const cd = operation.op === "fork" ? operation.cd % child.length : -1;
  return (before.threads[thread]?.registers ?? []).some(
    ({ tag }, index) => tag && index !== cd && child[index]?.tag === false,
  );
};

/** The same in memory. */
const losesInMemory = (evidence: Evidence): boolean => {
  const { after } = evidence;
  const slot = childSlot(evidence);
  return evidence.inherited.some((page, index) => {
    const now = viewPage(after, slot, index);
    const isWiped = evidence.before.regions[evidence.slot]?.[index]?.advice.wipeOnFork === true;
    return !isWiped && now !== undefined && page.some(({ tag }, at) => tag && now.granules[at]?.tag === false);
  });
};

const isZero = (evidence: Evidence, index: number): boolean =>
  (evidence.inherited[index] ?? []).every(({ tag, bits }) => !tag && bits === 0n);

export const imageCases = {
  "exec-of-threads": {
    description: "a process with several threads begins another image: one is left",
    on: executing,
    reached: ({ before, process, succeeded }) =>
      succeeded && before.threads.filter((thread) => thread.live && thread.process === process).length > 1,
  },
  "exec-with-shared-frames": {
    description: "another image begins while others map the old one's frames",
    on: executing,
    reached: ({ before, slot, succeeded }) =>
      succeeded &&
      (before.regions[slot] ?? []).some(
        (entry) => entry !== undefined && (before.frames[entry.frame]?.references ?? 0) > 1,
      ),
  },
  "exec-before-descendant-resolves": {
    description: "another image begins while pages of others hold pointers that are meant for its region",
    on: executing,
    reached: ({ before, after, slot, region, succeeded }) =>
      succeeded &&
      after.frames.some(
        (frame, index) =>
          frame?.home === regionBase(before.config, slot) &&
          before.frames[index]?.memory === frame.memory &&
          frame.memory.some(({ tag, bits }) => {
            const one = tag ? before.format.decode(before.format.fromMemory(bits), true) : undefined;
            return one !== undefined && isMemoryCapability(before.format, one) && liesWithin(one, region);
          }),
      ),
  },
  "exec-with-grant": {
    description: "a process that holds a grant begins another image",
    on: executing,
    reached: ({ transition: { grantsBefore }, process, succeeded }) =>
      succeeded && (grantsBefore.held[process] ?? []).length > 0,
  },
  "exec-of-granted": {
    description: "memory that was granted to another ends with its owner's image",
    on: executing,
    reached: ({ transition: { grantsBefore }, process, succeeded }) =>
      succeeded &&
      grantsBefore.held.some((held, holder) => holder !== process && held.some(({ owner }) => owner === process)),
  },
  "exec-in-child": {
    description: "a child begins another image while its parent lives",
    on: executing,
    reached: ({ history, before, process, succeeded }) => {
      const parent = history.forkedBy.get(process);
      return succeeded && parent !== undefined && before.processes[parent]?.state.kind === "live";
    },
  },
  "exec-fails-without-commit": {
    description: "another image needs more frames than there are",
    on: executing,
    reached: (evidence) => evidence.failedWith("ENOMEM"),
  },
  "fork-without-page": {
    description: "a child does not get a page",
    on: forking,
    reached: (evidence) => marked(evidence, "dontFork").length > 0,
  },
  "fork-without-page-pointer-in-register": {
    description: "a child's register pointed into a page that it does not get",
    on: forking,
    reached: (evidence) => marked(evidence, "dontFork").length > 0 && losesInRegister(evidence),
  },
  "fork-without-page-pointer-in-memory": {
    description: "a pointer in a child's memory led into a page that it does not get",
    on: forking,
    reached: (evidence) => marked(evidence, "dontFork").length > 0 && losesInMemory(evidence),
  },
  "access-to-absent-page": {
    description: "a child tries to use a page that it did not get",
    on: accessing,
    reached: ({ accesses, transition, history, process, region, before }) =>
      transition.observation.kind === "trap" &&
      accesses.some(({ address }) => {
        const index = Number((address - region.start) / BigInt(before.config.page));
        return address >= region.start && history.absent.has(`${process}:${index}`);
      }),
  },
  "fork-wipes-page": {
    description: "a child gets zeros instead of what a page holds",
    on: forking,
    reached: (evidence) => marked(evidence, "wipeOnFork").some((index) => !isZero(evidence, index)),
  },
  "fork-wipes-pointers": {
    description: "a child gets zeros instead of pointers",
    on: forking,
    reached: (evidence) =>
      marked(evidence, "wipeOnFork").some((index) => (evidence.inherited[index] ?? []).some(({ tag }) => tag)),
  },
  "fork-wipes-page-of-child": {
    description: "a grandchild gets zeros instead of what a child wrote to a page that it got as zeros",
    on: forking,
    reached: (evidence) =>
      marked(evidence, "wipeOnFork").some(
        (index) => evidence.history.wiped.has(`${evidence.process}:${index}`) && !isZero(evidence, index),
      ),
  },
  "fork-wipes-shared-page": {
    description: "a page of which a child gets zeros shares its frame with another process",
    on: forking,
    reached: (evidence) =>
      marked(evidence, "wipeOnFork").some((index) => {
        const entry = evidence.before.regions[evidence.slot]?.[index];
        return entry !== undefined && (evidence.before.frames[entry.frame]?.references ?? 0) > 1;
      }),
  },
  "advice-taken-back": {
    description: "a page is inherited after all",
    on: ["madvise"],
    reached: ({ before, after, slot, succeeded }) =>
      succeeded &&
      (before.regions[slot] ?? []).some((entry, index) => {
        const now = after.regions[slot]?.[index]?.advice;
        const was = entry?.advice;
        return (
          (was?.dontFork === true && now?.dontFork === false) || (was?.wipeOnFork === true && now?.wipeOnFork === false)
        );
      }),
  },
} as const satisfies CornerCases;

/** Corner cases of handlers, and of what else the kernel keeps of capabilities for signals. */
import type { Capability } from "../../spec/cheri/index.js";
import type { Machine } from "../../spec/sfork/machine.js";
import { effective } from "../../spec/sfork/memory-access.js";
import { liesWithin } from "../../spec/sfork/relocate.js";
import { signals } from "../../spec/sfork/signals.js";
import { delivering, type CornerCases } from "./case.js";
import type { Evidence, Touched } from "./evidence.js";
import { actionsOf, isLive, ran, signalled, type Handler } from "./taken.js";

/** The page on which a handler counts, as it was before. */
const counter = (evidence: Evidence, { data }: Handler): Touched | undefined =>
  evidence.touched(effective(evidence.before.format, data, 0n));

const counts = (evidence: Evidence, isSuch: (page: Touched) => boolean): boolean =>
  isLive(evidence.after, evidence.process) &&
  ran(evidence).some(({ handler }) => {
    const page = counter(evidence, handler);
    return page !== undefined && isSuch(page);
  });

/** Capabilities that the kernel keeps for a process's handlers. */
const heldFor = (machine: Machine, process: number): readonly Capability[] =>
  Array.from(actionsOf(machine, process).values()).flatMap((action) =>
    action === "ignore" ? [] : [action.code, action.data],
  );

export const handlerCases = {
  "handler-counts": {
    description: "a handler counts before its thread's step",
    on: delivering,
    reached: (evidence) => counts(evidence, () => true),
  },
  "handler-inherited": {
    description: "a child inherits a handler whose capabilities lead into its parent's region",
    on: ["fork"],
    reached: (evidence) =>
      evidence.child !== undefined &&
      heldFor(evidence.before, evidence.process).some((one) => one.tag && liesWithin(one, evidence.region)),
  },
  "handler-runs-in-child": {
    description: "a handler that was inherited counts in the child's memory",
    on: delivering,
    reached: (evidence) =>
      isLive(evidence.after, evidence.process) &&
      ran(evidence).some(({ signal }) => !evidence.history.handlers.has(`${evidence.process}:${signal}`)),
  },
  "handler-counts-in-shared": {
    description: "a handler counts on a page whose frame is shared",
    on: delivering,
    reached: (evidence) => counts(evidence, ({ frame }) => (frame?.references ?? 0) > 1),
  },
  "handler-counts-in-unresolved": {
    description: "a handler counts on a page that is unresolved",
    on: delivering,
    reached: (evidence) => counts(evidence, ({ unresolved }) => unresolved),
  },
  "handler-counts-over-pointer": {
    description: "a handler's counter is where a pointer was stored",
    on: delivering,
    reached: (evidence) =>
      ran(evidence).some(({ handler }) => {
        const address = effective(evidence.before.format, handler.data, 0n);
        return evidence.granuleAt(evidence.before, address - (address % evidence.before.format.granule))?.tag === true;
      }),
  },
  "handler-faults": {
    description: "a handler cannot count: its process ends as by SEGV",
    on: delivering,
    reached: (evidence) => ran(evidence).length > 0 && signalled(evidence).some(({ by }) => by === signals.SEGV),
  },
  "handler-faults-by-protection": {
    description: "it cannot because of the page's protection",
    on: delivering,
    reached: (evidence) =>
      signalled(evidence).some(({ by }) => by === signals.SEGV) &&
      ran(evidence).some(
        ({ handler }) => handler.data.tag && counter(evidence, handler)?.entry?.protection.write === false,
      ),
  },
  "handler-revoked": {
    description: "what a handler's capability leads to is unmapped, or is absent in a child",
    on: ["munmap", "fork"],
    reached: (evidence) => {
      const { before, after, process, child } = evidence;
      const was = heldFor(before, process);
      return heldFor(after, child ?? process).some(({ tag }, index) => !tag && was[index]?.tag === true);
    },
  },
  "handler-dropped-by-exec": {
    description: "another image begins without handlers, and ignores what was ignored",
    on: ["exec"],
    reached: ({ before, after, process, succeeded }) => {
      const was = Array.from(actionsOf(before, process).values());
      const now = Array.from(actionsOf(after, process).values());
      return succeeded && was.some((one) => one !== "ignore") && now.includes("ignore");
    },
  },
  "alternate-stack-inherited": {
    description: "a child inherits an alternate stack in its parent's region",
    on: ["fork"],
    reached: ({ before, process, child, region }) => {
      const stack = before.processes[process]?.alternateStack;
      return child !== undefined && stack?.tag === true && liesWithin(stack, region);
    },
  },
  "alternate-stack-seen-in-child": {
    description: "a child asks for the alternate stack that it inherited",
    on: ["getaltstack"],
    reached: ({ result, history, process, region }) =>
      result?.tag === true && history.forkedBy.has(process) && liesWithin(result, region),
  },
} as const satisfies CornerCases;

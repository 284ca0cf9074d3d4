/**
 * INV-1 to INV-4 over what an implementation shows, whatever it is made of: what the specification knows of the step (who took
 * it, which memory there is, who was granted what) comes from the transition, and every capability from the view.
 */
import type { PageView, View } from "../../impl/implementation.js";
import { zeroGranule, type Capability, type Granule } from "../../spec/cheri/index.js";
import { isolation, noStalePointer } from "../../spec/invariants/isolation.js";
import { isImage, withoutAbsent } from "../../spec/invariants/relocation.js";
import { found, holding, type Held, type Place, type Violation } from "../../spec/invariants/places.js";
import {
  decoded,
  isMemory,
  regionOf,
  sameGranule,
  scopeOf,
  type Transition,
} from "../../spec/invariants/transition.js";
import { registerCount, type PageEntry } from "../../spec/sfork/machine.js";

const granulesOf = (page: PageView | undefined): readonly Granule[] => page?.granules ?? [];

/** Every tagged memory capability of a live process, or in a shared segment, and where it is. */
const heldIn = ({ after }: Transition, view: View): readonly Held[] => {
  const granules = (place: Omit<Place, "index">, memory: readonly Granule[]): readonly Held[] =>
    memory.flatMap((one, index) => (one.tag ? [holding({ ...place, index }, decoded(after, one))] : []));
  const list = (place: Omit<Place, "index">, capabilities: readonly Capability[]): readonly Held[] =>
    capabilities.flatMap((one, index) => (one.tag ? [holding({ ...place, index }, one)] : []));
  return [
    ...Array.from(view.processes).flatMap(([owner, { pages, held }]) => [
      ...pages.flatMap((page, number) => granules({ owner, kind: "page", number }, granulesOf(page))),
      ...list({ owner, kind: "handler", number: 0 }, held),
    ]),
    ...Array.from(view.threads).flatMap(([number, registers]) =>
      list({ owner: after.threads[number]?.process, kind: "thread", number }, registers),
    ),
    ...view.segments.flatMap((memory, number) => granules({ owner: undefined, kind: "segment", number }, memory)),
  ].filter(({ capability }) => isMemory(after, capability));
};

const messagesIn = ({ channels }: View): readonly Held[] =>
  channels.flatMap((messages, number) =>
    messages.flatMap((one, index) =>
      one.tag ? [holding({ owner: undefined, kind: "channel", number, index }, one)] : [],
    ),
  );

/** What the child's page should be the image of; undefined where it should not be there. */
const expectedPage = (page: PageView | undefined, entry: PageEntry | undefined): readonly Granule[] | undefined => {
  if (page === undefined || entry?.advice.dontFork === true) return undefined;
  return entry?.advice.wipeOnFork === true ? page.granules.map(() => zeroGranule) : page.granules;
};

/** Granules and registers of the child that are not the image of the parent's; and those that gained or lost a tag. */
const childUnlike = (transition: Transition, view: View): readonly Violation[] => {
  const { before, after, observation, operation, process, thread } = transition;
  if (observation.kind !== "child" || operation.op !== "fork") return [];
  const owner = observation.child;
  const [parent, child] = [view.processes.get(process), view.processes.get(owner)];
  const [from, to] = [before.processes[process]?.slot ?? 0, after.processes[owner]?.slot ?? 0];
  if (parent === undefined || child === undefined) {
    return [{ rule: "INV-3", where: `P${owner}`, what: "is not there, or its parent is not" }];
  }
  const region = regionOf(before, from);
  const delta = regionOf(after, to).start - region.start;
  const left = withoutAbsent(before, from);
  const lostWith = (old: Capability): boolean => old.tag && !left(old).tag;
  const isRight = (old: Capability, now: Capability): boolean =>
    lostWith(old) ? !now.tag : isImage(after, region, delta, old, now);
  const isRightGranule = (old: Granule, now: Granule): boolean => {
    if (!old.tag) return sameGranule(old, now);
    const was = decoded(before, old);
    return lostWith(was) ? !now.tag : now.tag && isImage(after, region, delta, was, decoded(after, now));
  };
  const tagKept = (old: Capability, now: Capability): boolean => now.tag === (old.tag && !lostWith(old));
  // 1. Memory: the parent's own is what it was before the fork.
  const places = Math.max(parent.pages.length, child.pages.length);
  const memory = Array.from({ length: places }, (_, number) => number).flatMap((number): readonly Violation[] => {
    const place = { owner, kind: "page", number, index: 0 } as const;
    const expected = expectedPage(parent.pages[number], before.regions[from]?.[number]);
    const now = child.pages[number]?.granules;
    if (expected === undefined || now === undefined) {
      return expected === now ? [] : [found("INV-3", "is mapped, or not, unlike the parent's page")(place)];
    }
    return expected.flatMap((old, index) => {
      const own = now[index] ?? zeroGranule;
      const tagged = own.tag === (old.tag && !lostWith(decoded(before, old)));
      return [
        ...(isRightGranule(old, own)
          ? []
          : [found("INV-3", "is not the image of the parent's granule")({ ...place, index })]),
        ...(tagged ? [] : [found("INV-4", "gained or lost its tag")({ ...place, index })]),
      ];
    });
  });
  // 2. Registers of the child's only thread, but for `cd`, which says who is the child.
  const own = after.threads.findIndex((one) => one.process === owner && one.live);
  const registers = view.threads.get(thread)?.flatMap((old, index): readonly Violation[] => {
    const now = view.threads.get(own)?.[index];
    const place = { owner, kind: "thread", number: own, index } as const;
    if (index === operation.cd % registerCount) return [];
    if (now === undefined) return [found("INV-3", "is not there")(place)];
    return [
      ...(isRight(old, now) ? [] : [found("INV-3", "is not what the parent's register becomes")(place)]),
      ...(tagKept(old, now) ? [] : [found("INV-4", "gained or lost its tag")(place)]),
    ];
  });
  // 3. What the kernel keeps.
  const kept = parent.held.flatMap((old, index): readonly Violation[] => {
    const now = child.held[index];
    const isKept = now !== undefined && isRight(old, now);
    return isKept
      ? []
      : [
          found(
            "INV-3",
            "has no image that the kernel keeps for the child",
          )({ owner, kind: "handler", number: 0, index }),
        ];
  });
  return [...memory, ...(registers ?? []), ...kept];
};

/** What is wrong in a view after a step, by INV-1 to INV-4. */
export const viewViolations = (transition: Transition, view: View): readonly Violation[] => {
  const [held, inFlight] = [heldIn(transition, view), messagesIn(view)];
  const scope = { ...scopeOf(transition, "incremental"), held, inFlight, everywhere: [...held, ...inFlight] };
  return [...isolation(scope), ...noStalePointer(scope), ...childUnlike(transition, view)];
};

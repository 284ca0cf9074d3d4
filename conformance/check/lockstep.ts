/** Two implementations in lock step: what they observe, then what can be seen, then what it cost (REF-4). */
import type { Implementation, Observed, PageView, View } from "../../impl/implementation.js";
import type { Capability, Granule } from "../../spec/cheri/index.js";
import type { Counters } from "../../spec/sfork/machine.js";
import type { Violation } from "../../spec/invariants/places.js";
import type { Observation } from "../../spec/sfork/observation.js";
import type { Step } from "../../spec/sfork/operation.js";
import { plainLine } from "../errors.js";
import { asChosen, isAllowedError } from "./latitude.js";

/** The first thing that is not the same. */
export type Difference =
  | { readonly kind: "observation"; readonly expected: Observed; readonly actual: Observed }
  | {
      readonly kind: "view" | "counters" | "invariant";
      readonly where: string;
      readonly expected: string;
      readonly actual: string;
    }
  /** Both sides agree on what is wrong: an invariant does not hold in the specification. */
  | { readonly kind: "broken"; readonly first: Violation; readonly also: readonly string[] };

export interface Lockstep {
  /** Steps that were taken: on both sides, so many observations were compared. */
  readonly steps: number;
  /** Times that views and counters were compared, and the second side looked through its own structures. */
  readonly looks: number;
  /** Steps that observe another error than the first side does, one of those that apply. */
  readonly otherErrors: number;
  readonly difference: Difference | undefined;
}

export interface LockstepOptions {
  /** Compare everything after every step, not only after the last. */
  readonly full?: boolean;
  /** What the second side chooses where the latitude lets it, the first one is told to choose. */
  readonly following?: boolean;
  /** Called where both sides agree on a step, with the step as the first side took it; what it answers ends the run. */
  readonly agreed?: (step: Step, isLast: boolean) => Difference | undefined;
}

// Comparisons by hand, of just these shapes: with a general one they would take longer than the steps.

export const sameCapability = (a: Capability, b: Capability): boolean =>
  a.tag === b.tag &&
  a.metadata === b.metadata &&
  a.address === b.address &&
  a.base === b.base &&
  a.top === b.top &&
  a.permissions === b.permissions &&
  a.otype === b.otype &&
  a.flags === b.flags;

const sameList = <Item>(a: readonly Item[], b: readonly Item[], same: (one: Item, two: Item) => boolean): boolean =>
  a.length === b.length && a.every((one, index) => same(one, b[index] as Item));

const identical = (a: unknown, b: unknown): boolean => a === b;

/** Values of which one is a small object of plain values: a status, a pair of numbers, a list of words. */
const sameShallow = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return (
    keys.length === others.length &&
    keys.every((key) => (a as Record<string, unknown>)[key] === (b as Record<string, unknown>)[key])
  );
};

const sameObservation = (a: Observation, b: Observation): boolean => {
  if (a.kind === "capability") return b.kind === "capability" && sameCapability(a.capability, b.capability);
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => sameShallow(a[key as keyof Observation], (b as Record<string, unknown>)[key]))
  );
};

export const sameObserved = (a: Observed, b: Observed, same = sameObservation): boolean =>
  a.thread === b.thread &&
  a.process === b.process &&
  sameList(a.signals, b.signals, identical) &&
  same(a.observation, b.observation);

interface Found {
  readonly where: string;
  readonly expected: string;
  readonly actual: string;
}

const printGranule = ({ tag, bits }: Granule): string => `0x${bits.toString(16)} tag=${+tag}`;

const printCapability = ({ metadata, address, tag }: Capability): string =>
  `0x${metadata.toString(16)}:0x${address.toString(16)} tag=${+tag}`;

const nothing = "nothing";

/** The first place at which two lists differ. */
const listDifference = <Item>(
  where: string,
  a: readonly Item[],
  b: readonly Item[],
  same: (one: Item, two: Item) => boolean,
  print: (item: Item) => string,
): Found | undefined => {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [one, two] = [a[index], b[index]];
    if (one !== undefined && two !== undefined && same(one, two)) continue;
    const shown = (item: Item | undefined): string => (item === undefined ? nothing : print(item));
    return { where: `${where} ${index}`, expected: shown(one), actual: shown(two) };
  }
  return undefined;
};

export const sameGranule = (a: Granule, b: Granule): boolean => a === b || (a.tag === b.tag && a.bits === b.bits);

const pageDifference = (where: string, a: PageView | undefined, b: PageView | undefined): Found | undefined => {
  if (a === undefined || b === undefined) {
    const shown = (page: PageView | undefined): string => (page === undefined ? "not mapped" : "mapped");
    return a === b ? undefined : { where, expected: shown(a), actual: shown(b) };
  }
  const protection = (page: PageView): string => Object.entries(page.protection).join(" ");
  if (!sameShallow(a.protection, b.protection)) return { where, expected: protection(a), actual: protection(b) };
  return listDifference(`${where} granule`, a.granules, b.granules, sameGranule, printGranule);
};

const mapDifference = <Item>(
  where: string,
  a: ReadonlyMap<number, Item>,
  b: ReadonlyMap<number, Item>,
  difference: (name: string, one: Item, two: Item) => Found | undefined,
): Found | undefined => {
  const [keys, others] = [[...a.keys()], [...b.keys()]];
  if (!sameList(keys, others, identical)) {
    return { where: `${where}s`, expected: keys.join(" "), actual: others.join(" ") };
  }
  for (const [key, one] of a) {
    const found = difference(`${where} ${key}`, one, b.get(key) as Item);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** In the order in which `differentPlaces` has them. */
const viewDifference = (a: View, b: View): Found | undefined =>
  mapDifference("thread", a.threads, b.threads, (name, one, two) =>
    listDifference(`${name} register`, one, two, sameCapability, printCapability),
  ) ??
  mapDifference("process", a.processes, b.processes, (name, one, two) => {
    if (one.slot !== two.slot) return { where: name, expected: `slot ${one.slot}`, actual: `slot ${two.slot}` };
    const pages = Math.max(one.pages.length, two.pages.length);
    for (let index = 0; index < pages; index += 1) {
      const found = pageDifference(`${name} page ${index}`, one.pages[index], two.pages[index]);
      if (found !== undefined) return found;
    }
    return listDifference(`${name} kernel-held`, one.held, two.held, sameCapability, printCapability);
  }) ??
  listDifference(
    "shared segment",
    a.segments,
    b.segments,
    (one, two) => sameList(one, two, sameGranule),
    (granules) => granules.map(printGranule).join(", "),
  ) ??
  listDifference(
    "channel",
    a.channels,
    b.channels,
    (one, two) => sameList(one, two, sameCapability),
    (messages) => messages.map(printCapability).join(", "),
  );

const printCounters = (counters: Counters): string =>
  Object.entries(counters)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");

/** Views, then counters, then what the second side finds wrong by itself. */
export const look = (
  expected: Pick<Implementation, "view" | "counters">,
  actual: Implementation,
): Difference | undefined => {
  const view = viewDifference(expected.view(), actual.view());
  if (view !== undefined) return { kind: "view", ...view };
  const counters = listDifference(
    "counters of process",
    expected.counters(),
    actual.counters(),
    sameShallow,
    printCounters,
  );
  if (counters !== undefined) return { kind: "counters", ...counters };
  const [wrong] = actual.check();
  if (wrong === undefined) return undefined;
  const [, where = "its structures", what = wrong] = /^([^:]+): ([^]*)$/.exec(wrong) ?? [];
  return { kind: "invariant", where: plainLine(where), expected: "sound structures", actual: plainLine(what) };
};

/** The same steps on both, which are at their start, up to the first difference. */
export const lockstep = (
  expected: Implementation,
  actual: Implementation,
  steps: readonly Step[],
  { full = false, following = false, agreed }: LockstepOptions = {},
): Lockstep => {
  let [taken, looks, otherErrors] = [0, 0, 0];
  const ended = (difference?: Difference): Lockstep => ({ steps: taken, looks, otherErrors, difference });
  for (const asked of steps) {
    taken += 1;
    actual.step(asked);
    const step = following ? asChosen(asked, actual.observed(), actual.view) : asked;
    expected.step(step);
    const [one, two] = [expected.observed(), actual.observed()];
    if (!sameObserved(one, two)) {
      if (!sameObserved(one, two, isAllowedError)) return ended({ kind: "observation", expected: one, actual: two });
      otherErrors += 1;
    }
    const isLast = taken === steps.length;
    if (full || isLast) {
      looks += 1;
      const difference = look(expected, actual);
      if (difference !== undefined) return ended(difference);
    }
    const difference = agreed?.(step, isLast);
    if (difference !== undefined) return ended(difference);
  }
  return ended();
};

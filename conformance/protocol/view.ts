/**
 * INV-1 to INV-4 from outside: what an implementation lets be seen after the last step of a program, beside what the
 * specification does, place by place.
 */
import type { Observation } from "../../spec/sfork/observation.js";
import type { Machine } from "../../spec/sfork/machine.js";
import { printObservation, type CanonicalCapability } from "../canon.js";
import { placedCapability } from "./absolute.js";
import type { SeenRegion, SeenView } from "./messages.js";
import { seenView } from "./seen.js";

/** A place at which something else is to be seen, and the rules that this breaks. */
export interface Unlike {
  readonly where: string;
  readonly rules: readonly string[];
  readonly expected: string;
  readonly actual: string;
}

interface Place {
  readonly process: number;
  readonly cap: CanonicalCapability;
}

type Places = ReadonlyMap<string, Place>;

const places = ({ granules, registers }: SeenView): Places =>
  new Map([
    ...registers.map(
      ({ process, thread, register, cap }) => [`P${process} thread ${thread} ${register}`, { process, cap }] as const,
    ),
    ...granules.map(({ process, address, cap }) => [address, { process, cap }] as const),
  ]);

/** The same with permissions in one order. */
const printed = (place: Place | undefined): string => {
  if (place === undefined) return "no tag";
  const { cap } = place;
  return printObservation({ cap: { ...cap, permissions: cap.permissions.toSorted() } });
};

/** Whose memory the bounds lie in, if it is a process's. */
const ownerOf = ({ base }: CanonicalCapability): number | undefined => {
  const [, ordinal] = /^P(\d+)[+-]/.exec(base) ?? [];
  return ordinal === undefined ? undefined : Number(ordinal);
};

/**
 * The rules that a place breaks. In the child of a fork that was just made: INV-4 where there is a tag too many or too few,
 * INV-3 where the capability is another, and INV-2 where it leads to somebody else; anywhere else INV-1 for that.
 */
const rulesOf = (
  expected: Place | undefined,
  actual: Place | undefined,
  child: number | undefined,
): readonly string[] => {
  const place = actual ?? expected;
  const owner = actual && ownerOf(actual.cap);
  const isForeign = actual !== undefined && owner !== undefined && owner !== actual.process;
  const foreign = isForeign ? ["INV-1"] : [];
  if (place === undefined || place.process !== child) return foreign;
  const tags = expected === undefined || actual === undefined ? ["INV-4"] : [];
  return [...foreign, ...(isForeign ? ["INV-2"] : []), "INV-3", ...tags];
};

/** Places at which an implementation has another capability than the specification, or one of them has none. */
export const viewDifferences = (
  machine: Machine,
  last: Observation | undefined,
  view: SeenView,
  regions: readonly SeenRegion[] = [],
): readonly Unlike[] => {
  const child = last?.kind === "child" ? last.child : undefined;
  const expected = places(seenView(machine));
  const actual: Places = new Map(
    Array.from(places(view)).map(([name, place]) => [
      name,
      { ...place, cap: placedCapability(place.cap, machine, regions) },
    ]),
  );
  return [...new Set([...expected.keys(), ...actual.keys()])].flatMap((where): readonly Unlike[] => {
    const [one, two] = [expected.get(where), actual.get(where)];
    const [should, does] = [printed(one), printed(two)];
    return should === does ? [] : [{ where, rules: rulesOf(one, two, child), expected: should, actual: does }];
  });
};

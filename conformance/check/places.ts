/** Where two machines differ: every register, granule and count that is not the same, with what either has there. */
import type { ProcessView, View } from "../../impl/implementation.js";
import type { Capability, Granule } from "../../spec/cheri/index.js";
import { registerCount, type Counters, type Machine } from "../../spec/sfork/machine.js";
import { actorOf, full, granuleText, nameOf } from "../told.js";
import { sameCapability, sameGranule } from "./lockstep.js";

/** A place that does not hold the same on both sides. */
export interface DifferentPlace {
  /** `P0 c7`, `P1+0x40`, `S0+0x0`, `P1 copies`. */
  readonly name: string;
  readonly expected: string;
  readonly actual: string;
}

/** What there is to be seen of a machine. */
export interface Seen {
  readonly view: View;
  readonly counters: readonly Counters[];
}

/** How one kind of content is compared, and told. */
interface Kind<Item> {
  readonly isSame: (one: Item, two: Item) => boolean;
  readonly tell: (item: Item) => string;
  /** Every bit of it, for what is told alike. */
  readonly raw: (item: Item) => string;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

const capabilities = (machine: Machine, owner: number | undefined): Kind<Capability> => ({
  isSame: sameCapability,
  tell: (one) => full(one, machine, owner),
  raw: ({ metadata, address, flags }) => `metadata ${hex(metadata)}, address ${hex(address)}, flags ${hex(flags)}`,
});

const granules = (machine: Machine, owner: number | undefined): Kind<Granule> => ({
  isSame: sameGranule,
  tell: (one) => granuleText(machine, one, owner),
  raw: ({ bits, tag }) => `${tag ? "tagged" : "untagged"} ${hex(bits)}`,
});

const plain: Kind<string> = { isSame: (one, two) => one === two, tell: String, raw: String };

const nothing = "nothing";

const differ = <Item>(
  name: string,
  { isSame, tell, raw }: Kind<Item>,
  one: Item | undefined,
  two: Item | undefined,
): readonly DifferentPlace[] => {
  if (one === undefined || two === undefined) {
    const told = (item: Item | undefined): string => (item === undefined ? nothing : tell(item));
    return one === two ? [] : [{ name, expected: told(one), actual: told(two) }];
  }
  if (isSame(one, two)) return [];
  const [expected, actual] = [tell(one), tell(two)];
  if (expected !== actual) return [{ name, expected, actual }];
  return [{ name, expected: `${expected}; ${raw(one)}`, actual: `${actual}; ${raw(two)}` }];
};

const inLists = <Item>(
  nameAt: (index: number) => string,
  kind: Kind<Item>,
  one: readonly Item[],
  two: readonly Item[],
): readonly DifferentPlace[] =>
  Array.from({ length: Math.max(one.length, two.length) }, (_, index) => index).flatMap((index) =>
    differ(nameAt(index), kind, one[index], two[index]),
  );

/** What is on one side alone is one place, whatever is in it, and comes first. */
const inMaps = <Item>(
  nameOfKey: (key: number) => string,
  one: ReadonlyMap<number, Item>,
  two: ReadonlyMap<number, Item>,
  inside: (key: number, one: Item, two: Item) => readonly DifferentPlace[],
): readonly DifferentPlace[] => {
  const lives = (item: Item | undefined): string => (item === undefined ? "does not live" : "lives");
  const pairs = [...new Set([...one.keys(), ...two.keys()])].map((key) => [key, one.get(key), two.get(key)] as const);
  return [
    ...pairs.flatMap(([key, left, right]) =>
      left === undefined || right === undefined
        ? [{ name: nameOfKey(key), expected: lives(left), actual: lives(right) }]
        : [],
    ),
    ...pairs.flatMap(([key, left, right]) =>
      left === undefined || right === undefined ? [] : inside(key, left, right),
    ),
  ];
};

/** Names of what the kernel holds for a process, in the order of a view. */
const heldNames = ({ processes }: Machine, owner: number): readonly string[] => {
  const signals = Array.from(processes[owner]?.actions ?? [])
    .flatMap(([signal, action]) => (action === "ignore" ? [] : [signal]))
    .sort((one, two) => one - two);
  return [
    ...signals.flatMap((number) => [0, 1].map((index) => nameOf({ owner, kind: "handler", number, index }))),
    nameOf({ owner, kind: "handler", number: 0, index: 0 }),
  ];
};

const protectionOf = (page: ProcessView["pages"][number]): string => {
  if (page === undefined) return "not mapped";
  const { read, write, execute } = page.protection;
  return `mapped ${read ? "r" : "-"}${write ? "w" : "-"}${execute ? "x" : "-"}`;
};

const inProcesses = (
  machine: Machine,
  owner: number,
  one: ProcessView,
  two: ProcessView,
): readonly DifferentPlace[] => {
  const { config, format } = machine;
  const count = Math.max(one.pages.length, two.pages.length);
  const held = heldNames(machine, owner);
  const pages = Array.from({ length: count }, (_, page) => page).flatMap((page) => {
    const [left, right] = [one.pages[page], two.pages[page]];
    const addressOf = (granule: number): string =>
      `P${owner}+${hex(BigInt(page * config.page) + BigInt(granule) * format.granule)}`;
    return [
      ...differ(`P${owner} page ${page} at ${addressOf(0)}`, plain, protectionOf(left), protectionOf(right)),
      ...(left === undefined || right === undefined
        ? []
        : inLists(addressOf, granules(machine, owner), left.granules, right.granules)),
    ];
  });
  return [
    ...differ(`P${owner} slot`, plain, String(one.slot), String(two.slot)),
    ...pages,
    ...inLists(
      (index) => held[index] ?? `P${owner} kernel-held ${index}`,
      capabilities(machine, owner),
      one.held,
      two.held,
    ),
  ];
};

const inCounters = (one: readonly Counters[], two: readonly Counters[]): readonly DifferentPlace[] =>
  Array.from({ length: Math.max(one.length, two.length) }, (_, process) => process).flatMap((process) => {
    const [left, right] = [one, two].map(
      (side) => new Map(Object.entries(side[process] ?? {}).map(([key, value]) => [key, String(value)])),
    );
    return [...new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])].flatMap((key) =>
      differ(`P${process} ${key}`, plain, left?.get(key), right?.get(key)),
    );
  });

/** All places that differ: registers first, then memory, messages and counters. Named as `machine`, the expected one, has them. */
export const differentPlaces = (machine: Machine, expected: Seen, actual: Seen): readonly DifferentPlace[] => {
  const { threads, config, format } = machine;
  const [one, two] = [expected.view, actual.view];
  return [
    ...inMaps(
      (thread) => `thread ${thread}`,
      one.threads,
      two.threads,
      (thread, left, right) => {
        const name = (index: number): string =>
          `${actorOf(machine, thread)} ${index < registerCount ? `c${index}` : "pcc"}`;
        return inLists(name, capabilities(machine, threads[thread]?.process), left, right);
      },
    ),
    ...inMaps(
      (process) => `P${process}`,
      one.processes,
      two.processes,
      (process, left, right) => inProcesses(machine, process, left, right),
    ),
    ...Array.from({ length: config.shared }, (_, segment) => segment).flatMap((segment) =>
      inLists(
        (granule) => `S${segment}+${hex(BigInt(granule) * format.granule)}`,
        granules(machine, undefined),
        one.segments[segment] ?? [],
        two.segments[segment] ?? [],
      ),
    ),
    ...Array.from({ length: Math.max(one.channels.length, two.channels.length) }, (_, channel) => channel).flatMap(
      (channel) =>
        inLists(
          (message) => `channel ${channel} message ${message}`,
          capabilities(machine, undefined),
          one.channels[channel] ?? [],
          two.channels[channel] ?? [],
        ),
    ),
    ...inCounters(expected.counters, actual.counters),
  ];
};

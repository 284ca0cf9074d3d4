/**
 * INV-1 to INV-4 over every granule of parent and child after a fork, against the image that the parent started from. What a
 * pointer should have become is computed by the specification once for each mapping; a granule of that very form is right, and
 * any other one is taken apart.
 */
import { formats, nullCapability, relocate, type Capability } from "../../spec/cheri/index.js";
import type { StartMemory } from "../../impl/start.js";
import { kernelBase, regionSize, sharedBase, type Config } from "../../spec/sfork/config.js";
import { pageBase, regionBase, registerCount } from "../../spec/sfork/machine.js";
import { protectionBits, type Looks } from "./looks.js";
import { rootOf } from "./start.js";

/** Where the pointers of a process lead. */
interface Meaning {
  /** To memory of its own. */
  readonly own: number;
  readonly shared: number;
  readonly kernel: number;
  /** To another process's memory: that is a violation. */
  readonly parent: number;
  /** To nobody's memory, or to several at once. */
  readonly elsewhere: number;
}

/** A rule that is broken, how often, and where first. */
export interface Broken {
  readonly rule: string;
  readonly count: number;
  readonly process: number;
  /** A page and a granule, or the register of a thread. */
  readonly place:
    | { readonly kind: "granule"; readonly page: number; readonly granule: number }
    | { readonly kind: "register"; readonly thread: number; readonly register: number };
  readonly what: string;
}

export interface Judged {
  readonly granules: number;
  /** Tagged ones of the child, in memory; and in the registers of its thread. */
  readonly pointers: number;
  readonly registers: number;
  readonly meaning: Meaning;
  readonly broken: readonly Broken[];
}

/** After a fork by process 0 into a slot. */
export interface Forked {
  readonly config: Config;
  readonly memory: StartMemory;
  /** The child, in that slot; its thread follows those of the parent. */
  readonly child: number;
  readonly slot: number;
  /** The register that says who is the child. */
  readonly cd: number;
}

type Kind = keyof Meaning;

/** Halves of the granule of a capability, without its address: it is in the first two. */
const shapeOf = (config: Config, capability: Capability): readonly [number, number] => {
  const bits = formats[config.format].toMemory(capability);
  return [Number(BigInt.asIntN(32, bits >> 64n)), Number(BigInt.asIntN(32, bits >> 96n))];
};

/** An address in halves. */
const halvesOf = (value: bigint): readonly [number, number] => [
  Number(BigInt.asIntN(32, value)),
  Number(BigInt.asIntN(32, value >> 32n)),
];

const hex = (value: bigint): string => `0x${value.toString(16)}`;

class Findings {
  readonly #found = new Map<string, { count: number; readonly first: Omit<Broken, "rule" | "count"> }>();

  add(rule: string, process: number, place: Broken["place"], what: () => string): void {
    const known = this.#found.get(rule);
    if (known === undefined) this.#found.set(rule, { count: 1, first: { process, place, what: what() } });
    else known.count += 1;
  }

  list(): readonly Broken[] {
    return Array.from(this.#found, ([rule, { count, first }]) => ({ rule, count, ...first })).sort((one, two) =>
      one.rule < two.rule ? -1 : 1,
    );
  }
}

/** One of the two processes, as it should be. */
interface Side {
  readonly process: number;
  readonly slot: number;
  /** From the image's region to this one's. */
  readonly delta: bigint;
  /** Where its region begins, in halves. */
  readonly startLo: number;
  readonly startHi: number;
  /** Of each area the metadata of its pointers, as two halves. */
  readonly shapes: Int32Array;
}

/** Judges a fork. */
export const judgeFork = (looks: Looks, { config, memory, child, slot, cd }: Forked): Judged => {
  const format = formats[config.format];
  const findings = new Findings();
  const size = regionSize(config);
  const isOneSpace = regionBase(config, 0) !== regionBase(config, slot);
  const sides = [0, slot].map((own, index): Side => {
    const delta = regionBase(config, own) - regionBase(config, 0);
    const shapes = memory.areas.flatMap((area) => {
      const moved = relocate(format, rootOf(config, area), delta).capability;
      return shapeOf(config, moved);
    });
    const [startLo, startHi] = halvesOf(config.base + delta);
    return { process: index === 0 ? 0 : child, slot: own, delta, startLo, startHi, shapes: Int32Array.from(shapes) };
  });
  const [parent, heir] = sides;
  if (parent === undefined || heir === undefined) throw new RangeError("a fork has two sides");

  const kindOf = ({ base, top, otype }: Capability, own: number): Kind => {
    const within = (start: bigint, length: bigint): boolean => base >= start && top <= start + length;
    if (within(pageBase(config, own, 0), size)) return "own";
    if (within(sharedBase(config), BigInt(config.shared * config.page))) return "shared";
    if (within(kernelBase(config), BigInt(config.page)) && otype === format.otypes.sentry) return "kernel";
    return isOneSpace && within(pageBase(config, own === 0 ? slot : 0, 0), size) ? "parent" : "elsewhere";
  };

  const meaning: Record<Kind, number> = { own: 0, shared: 0, kernel: 0, parent: 0, elsewhere: 0 };
  const meant = (kind: Kind, side: Side): void => {
    if (side === heir) meaning[kind] += 1;
  };

  /** A tagged capability that is not what it should be, and what it leads to. */
  const reached = (kind: Kind, decoded: () => Capability, side: Side, place: Broken["place"]): void => {
    const bounds = (): string => {
      const { base, top } = decoded();
      return `[${hex(base)}, ${hex(top)})`;
    };
    meant(kind, side);
    if (kind === "parent" || kind === "elsewhere") {
      findings.add("INV-1", side.process, place, () => `reaches memory that is not its own: ${bounds()}`);
    }
    if (kind === "parent" && side === heir) {
      findings.add("INV-2", side.process, place, () => `still points to another process: ${bounds()}`);
    }
  };
  const unlike = (side: Side, place: Broken["place"]): void => {
    if (side === heir) findings.add("INV-3", child, place, () => "is not the image of what the parent had");
    else findings.add("INV-6", 0, place, () => "is not what it was before the fork");
  };
  const tagged = (side: Side, place: Broken["place"], tag: boolean): void => {
    findings.add("INV-4", side.process, place, () => (tag ? "gained a tag" : "lost its tag"));
  };

  const granules = config.page / Number(format.granule);
  const words = new Int32Array(granules * 2);
  const areas = new Int32Array(granules);
  const cells = new Int32Array(granules * 4);
  const tags = new Uint8Array(granules);
  let [total, pointers, registers] = [0, 0, 0];

  const bitsAt = (at: number): bigint => {
    let bits = 0n;
    for (let part = 3; part >= 0; part -= 1) bits = (bits << 32n) | BigInt((cells[at + part] ?? 0) >>> 0);
    return bits;
  };

  const decodedAt = (at: number): Capability => format.decode(format.fromMemory(bitsAt(at)), true);

  /** Is it the pointer of that side to an area, at a distance from its region's start? */
  const isPointer = ({ shapes, startLo, startHi }: Side, at: number, area: number, lo: number, hi: number): boolean => {
    const low = (startLo >>> 0) + (lo >>> 0);
    return (
      cells[at] === (low | 0) &&
      cells[at + 1] === ((startHi + hi + (low > 0xffffffff ? 1 : 0)) | 0) &&
      cells[at + 2] === shapes[area * 2] &&
      cells[at + 3] === shapes[area * 2 + 1]
    );
  };

  const judgePage = (side: Side, page: number): void => {
    for (let one = 0; one < granules; one += 1) {
      const area = (areas[one] ?? 0) - 1;
      const at = one * 4;
      const tag = tags[one] === 1;
      const lo = words[one * 2] ?? 0;
      const hi = words[one * 2 + 1] ?? 0;
      if (tag && side === heir) pointers += 1;
      const isRight =
        area < 0
          ? cells[at] === lo && cells[at + 1] === hi && cells[at + 2] === 0 && cells[at + 3] === 0
          : isPointer(side, at, area, lo, hi);
      if (isRight && tag === area >= 0) {
        if (tag) meant("own", side);
        continue;
      }
      const place = { kind: "granule", page, granule: one } as const;
      if (tag) {
        // The parent's own pointer need not be taken apart.
        const isParents = side === heir && area >= 0 && isOneSpace && isPointer(parent, at, area, lo, hi);
        const kind = isParents ? "parent" : kindOf(decodedAt(at), side.slot);
        reached(kind, () => decodedAt(at), side, place);
      }
      if (!isRight) unlike(side, place);
      if (tag !== area >= 0) tagged(side, place, tag);
    }
  };

  // 1. Memory: pages of the image, and no others.
  let nth = 0;
  let own = 0;
  for (let page = 0; page < config.pages; page += 1) {
    const isMapped = memory.pages[nth] === page;
    while (page >= (memory.areas[own]?.first ?? Infinity) + (memory.areas[own]?.count ?? 0)) own += 1;
    const area = memory.areas[own];
    const expected = isMapped && area !== undefined ? protectionBits(area.protection) : -1;
    if (isMapped) memory.read(nth, words, areas);
    for (const side of sides) {
      const protection = looks.page(side.process, page, cells, tags);
      if (protection !== expected) unlike(side, { kind: "granule", page, granule: 0 });
      if (protection < 0 || !isMapped) continue;
      total += granules;
      judgePage(side, page);
    }
    if (isMapped) nth += 1;
  }
  const nothing = shapeOf(config, nullCapability(format));
  // 2. Registers: of the parent's threads, and of the child's, but for the one that says who is the child.
  const judgeRegisters = (side: Side, thread: number, from: StartMemory["threads"][number]): void => {
    from.forEach(({ value, area = -1 }, register) => {
      const now = looks.registers(thread)[register];
      const root = memory.areas[area];
      if (side === heir && now?.tag === true) registers += 1;
      const place = { kind: "register", thread, register } as const;
      if (register === cd && register < registerCount && (thread === 0 || side === heir)) return;
      const shape = root === undefined ? nothing : side.shapes.subarray(area * 2, area * 2 + 2);
      const address = root === undefined ? value : config.base + side.delta + value;
      const metadata = now === undefined ? [] : shapeOf(config, now);
      const isRight = now?.address === address && metadata.every((one, part) => one === shape[part]);
      if (now?.tag === true && !(isRight && root !== undefined)) {
        reached(kindOf(now, side.slot), () => now, side, place);
      }
      if (now?.tag === true && isRight && root !== undefined) meant("own", side);
      if (!isRight) unlike(side, place);
      if (now !== undefined && now.tag !== (root !== undefined)) tagged(side, place, now.tag);
    });
  };
  memory.threads.forEach((values, thread) => {
    judgeRegisters(parent, thread, values);
  });
  judgeRegisters(heir, memory.threads.length, memory.threads[0] ?? []);
  return { granules: total, pointers, registers, meaning, broken: findings.list() };
};

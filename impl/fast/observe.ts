/** What can be seen of the machine, as values: made only when they are asked for. */
import type { Capability, Granule } from "../../spec/cheri/index.js";
import type { Counters } from "../../spec/sfork/machine.js";
import type { ErrorCode, ExitStatus, Observation } from "../../spec/sfork/observation.js";
import type { Observed, PageView, ProcessView, View } from "../implementation.js";
import { BASE_LO, DECODED_SIZE, FLAGS, OTYPE, PERMISSIONS, TOP_EXTRA, TOP_LO, type Halves } from "./codec/types.js";
import { copyCell } from "./capability.js";
import { EXECUTE, READ, WRITE, type Held, type Machine, type Process } from "./machine.js";
import { segmentStore } from "./storage.js";
import * as outcome from "./outcome.js";
import { isTagged, relocateCell } from "./pages.js";
import { registersOf } from "./program.js";

const unsigned = (halves: Halves, at: number): bigint => BigInt((halves[at] ?? 0) >>> 0);

const pair = (halves: Halves, at: number): bigint => unsigned(halves, at) | (unsigned(halves, at + 1) << 32n);

/** A granule as one little-endian number, from words of 64 bits. */
const bitsOf = (words: BigUint64Array, at: number, size: number): bigint => {
  let bits = words[at + size - 1] ?? 0n;
  for (let word = size - 2; word >= 0; word -= 1) bits = (bits << 64n) | (words[at + word] ?? 0n);
  return bits;
};

/** Everything but the address, from the lowest half on. */
const metadataOf = ({ granuleHalves, facts, wide }: Machine, cells: Halves, at: number): bigint => {
  const size = wide ? 2 : 1;
  let metadata = 0n;
  for (let half = granuleHalves - 1; half >= 0; half -= 1) {
    const isAddress = half >= facts.addressAt && half < facts.addressAt + size;
    if (!isAddress) metadata = (metadata << 32n) | unsigned(cells, at + half);
  }
  return metadata;
};

const capabilityAt = (machine: Machine, cells: Halves, at: number, tag: boolean): Capability => {
  const { codec, facts, wide } = machine;
  const out = new Int32Array(DECODED_SIZE);
  codec.decode(cells, at, out);
  const width = BigInt(codec.addressBits);
  const address = at + facts.addressAt;
  return {
    tag,
    address: wide ? pair(cells, address) : unsigned(cells, address),
    base: pair(out, BASE_LO),
    top: pair(out, TOP_LO) | (unsigned(out, TOP_EXTRA) << width),
    permissions: unsigned(out, PERMISSIONS),
    otype: unsigned(out, OTYPE),
    flags: unsigned(out, FLAGS),
    metadata: metadataOf(machine, cells, at),
  };
};

const held = (machine: Machine, { cells, tag }: Held): Capability => capabilityAt(machine, cells, 0, tag);

const register = (machine: Machine, index: number): Capability =>
  capabilityAt(machine, machine.registers, index * machine.granuleHalves, machine.registerTags[index] === 1);

const operands = ["", "cs1", "cs2"] as const;

/** Kinds that say everything by themselves. */
const plainKinds: ReadonlyMap<number, Observation> = new Map<number, Observation>([
  [outcome.NONE, { kind: "none" }],
  [outcome.WOULD_BLOCK, { kind: "would-block" }],
  [outcome.UNSUPPORTED, { kind: "unsupported" }],
  [outcome.NO_ACTOR, { kind: "no-actor" }],
  [outcome.HALTED, { kind: "halted" }],
  [outcome.BAD_CHOICE, { kind: "bad-choice" }],
  [outcome.OUT_OF_FRAMES, { kind: "out-of-frames" }],
  [outcome.OUTSIDE_PROFILE, { kind: "outside-profile" }],
]);

const observationOf = (machine: Machine): Observation => {
  const { kind, first, second, seen } = machine;
  switch (kind) {
    case outcome.CAPABILITY:
      return { kind: "capability", capability: register(machine, first) };
    case outcome.INTEGER:
      return { kind: "integer", integer: BigInt(first >>> 0) | (BigInt(second >>> 0) << 32n) };
    case outcome.TRAP:
      return { kind: "trap", trap: outcome.causes[first - 1] ?? "tag", operand: operands[second] ?? "" };
    case outcome.ERROR: {
      const allowed = seen as readonly [ErrorCode, ...ErrorCode[]];
      return { kind: "error", error: allowed[0], allowed };
    }
    case outcome.BYTES:
      return { kind: "bytes", bytes: Array.from(seen as Uint8Array) };
    case outcome.DESCRIPTOR:
      return { kind: "descriptor", descriptor: first };
    case outcome.DESCRIPTORS:
      return { kind: "descriptors", descriptors: [first, second] };
    case outcome.SET:
      return { kind: "set", members: seen as readonly (number | string)[] };
    case outcome.CHILD:
      return { kind: "child", child: first };
    case outcome.PROCESS:
      return { kind: "process", process: first, status: seen as ExitStatus };
    default:
      return plainKinds.get(kind) ?? { kind: "none" };
  }
};

const ordinal = (index: number): number | undefined => (index < 0 ? undefined : index);

export const observed = (machine: Machine): Observed => ({
  observation: observationOf(machine),
  signals: [...machine.taken],
  thread: ordinal(machine.actor),
  process: ordinal(machine.actorProcess),
});

const zeroGranule: Granule = { tag: false, bits: 0n };

/** The granules of a store as a slot sees them: relocated from their home. */
const granulesOf = (machine: Machine, store: number, home: number, slot: number): readonly Granule[] => {
  const { page, granule, granuleHalves, pageHalves, cells } = machine;
  const length = page / granule;
  if (store === 0) return new Array<Granule>(length).fill(zeroGranule);
  const size = granuleHalves / 2;
  const words = new BigUint64Array(cells.buffer);
  const image = new Int32Array(granuleHalves);
  const imageWords = new BigUint64Array(image.buffer);
  return Array.from({ length }, (_, index) => {
    const at = store * pageHalves + index * granuleHalves;
    if (!isTagged(machine, store, index)) return { tag: false, bits: bitsOf(words, at / 2, size) };
    copyCell(machine, cells, at, image, 0);
    const tag = relocateCell(machine, image, 0, home, slot) !== 2;
    return { tag, bits: bitsOf(imageWords, 0, size) };
  });
};

/** The slot from which a frame's capabilities are relocated to be seen; where no load waits for that, they are seen as they lie. */
export const seenFrom = ({ strategy, frameHome }: Machine, frame: number, slot: number): number =>
  strategy.separate || (strategy.lazy && !strategy.tagFaults) ? slot : (frameHome[frame] ?? 0);

const pageOf = (machine: Machine, slot: number, index: number): PageView | undefined => {
  const entry = (machine.rowOf[slot] ?? 0) * machine.pages + index;
  const frame = (machine.entries[entry] ?? 0) - 1;
  if (frame < 0) return undefined;
  const flags = machine.flags[entry] ?? 0;
  return {
    granules: granulesOf(machine, machine.frameStore[frame] ?? 0, seenFrom(machine, frame, slot), slot),
    protection: { read: (flags & READ) !== 0, write: (flags & WRITE) !== 0, execute: (flags & EXECUTE) !== 0 },
  };
};

const processView = (machine: Machine, { slot, actions, stack }: Process): ProcessView => {
  const handlers = [...actions].sort(([one], [two]) => one - two).map(([, action]) => action);
  return {
    slot,
    pages: Array.from({ length: machine.pages }, (_, index) => pageOf(machine, slot, index)),
    held: [
      ...handlers.flatMap((action) =>
        action === "ignore" ? [] : [held(machine, action.code), held(machine, action.data)],
      ),
      held(machine, stack),
    ],
  };
};

export const threadView = (machine: Machine, ordinal: number): readonly Capability[] => {
  const thread = machine.threads[ordinal];
  return thread === undefined ? [] : registersOf(thread.registers).map((one) => register(machine, one));
};

export const viewOf = (machine: Machine): View => {
  const live = machine.processes.filter(({ state }) => state === "live");
  return {
    processes: new Map(live.map((process) => [process.ordinal, processView(machine, process)])),
    threads: new Map(machine.liveThreads.map(({ ordinal: index }) => [index, threadView(machine, index)])),
    segments: Array.from({ length: machine.config.shared }, (_, segment) =>
      granulesOf(machine, segmentStore(segment), 0, 0),
    ),
    channels: machine.channels.map((messages) => messages.map((message) => held(machine, message))),
  };
};

export const countersOf = ({ processes }: Machine): readonly Counters[] =>
  processes.map(({ faults, copies, relocations, pageTableWrites }) => ({
    faults,
    copies,
    relocations,
    pageTableWrites,
  }));

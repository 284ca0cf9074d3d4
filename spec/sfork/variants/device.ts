/** CLAIM-13: a device that keeps the frames that a buffer's pages had when it was submitted (beside DMA-1). */
import { storeBytes } from "../../cheri/index.js";
import { effective } from "../memory-access.js";
import type { Request } from "../kernel.js";
import type { Machine } from "../machine.js";
import { mappingOf, place } from "../paging.js";
import type { Rules } from "../rules.js";
import { rules } from "../step.js";

/** A byte of a buffer: its frame when it was submitted, and how far into it. */
interface Byte {
  readonly frame: number;
  readonly offset: bigint;
}

interface PinnedRequest extends Request {
  readonly pinned: readonly Byte[];
}

const isPinned = (request: Request | undefined): request is PinnedRequest =>
  request !== undefined && "pinned" in request;

/** Where the bytes of a buffer lie now. */
const framesOf = (machine: Machine, { buffer: { capability, size } }: Request): readonly Byte[] =>
  Array.from({ length: Number(size) }, (_, index) => {
    const where = place(machine, effective(machine.format, capability, BigInt(index)));
    const mapping = where.kind === "page" ? mappingOf(machine, where.page) : undefined;
    return mapping === undefined ? [] : [{ frame: mapping.entry.frame, offset: where.offset }];
  }).flat();

/** Bytes into frames, whoever maps them by now. */
const intoFrames = (machine: Machine, pinned: readonly Byte[], bytes: readonly number[]): Machine =>
  pinned.reduce((sofar, { frame: index, offset }, nth) => {
    const frame = sofar.frames[index];
    if (frame === undefined) return sofar;
    const memory = storeBytes(sofar.format, frame.memory, offset, 1n, BigInt(bytes[nth] ?? 0));
    return { ...sofar, frames: sofar.frames.with(index, { ...frame, memory }) };
  }, machine);

export const pinningRules: Rules = {
  ...rules,
  virtq_submit: (context, operation) => {
    const { machine, observation } = rules.virtq_submit(context, operation);
    const request = machine.requests.at(-1);
    if (observation.kind !== "none" || request === undefined) return { machine, observation };
    const pinned: PinnedRequest = { ...request, pinned: framesOf(machine, request) };
    return { machine: { ...machine, requests: machine.requests.with(-1, pinned) }, observation };
  },
  virtq_complete: (context, operation) => {
    const [oldest] = context.machine.requests;
    const { machine, observation } = rules.virtq_complete(context, operation);
    const isWritten = observation.kind === "bytes" && isPinned(oldest) && oldest.bytes === undefined;
    if (!isWritten) return { machine, observation };
    const untouched = { ...context.machine, requests: machine.requests };
    return { machine: intoFrames(untouched, oldest.pinned, observation.bytes), observation };
  },
};

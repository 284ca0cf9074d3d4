/** Descriptors and devices: bytes that the kernel moves take their bits along. */
import { maxDescriptors, type Buffer, type Description } from "../../spec/sfork/kernel.js";
import { effective } from "../../spec/sfork/memory-access.js";
import type { Integer } from "../../spec/sfork/operation.js";
import { derivedIf, plain, type Answer, type Flow, type FlowOver, type Flows } from "./flow.js";
import type { Look } from "./look.js";
import { anySet, type Bits } from "./shadow.js";

interface OneBuffer {
  readonly cs1: number;
  readonly n: Integer;
}

interface TwoBuffers extends OneBuffer {
  readonly cs2: number;
  readonly n2: Integer;
}

const buffersOf = (look: Look, operands: OneBuffer | TwoBuffers): readonly Buffer[] => {
  const buffer = (register: number, size: Integer): Buffer => ({
    capability: look.value(register),
    size: look.integer(size),
  });
  const first = buffer(operands.cs1, operands.n);
  return "cs2" in operands ? [first, buffer(operands.cs2, operands.n2)] : [first];
};

const addressOf = ({ context: { format } }: Look, { capability }: Buffer): bigint => effective(format, capability, 0n);

/** The bits of all bytes of some buffers, in a row. */
const gathered = (look: Look, buffers: readonly Buffer[]): Bits =>
  Uint8Array.from(buffers.flatMap((buffer) => [...look.bytes(addressOf(look, buffer), buffer.size)]));

/** Bytes that are put into buffers one after the other, as far as they go. */
const scatter = (look: Look, buffers: readonly Buffer[], bits: Bits): void => {
  let from = 0;
  for (const buffer of buffers) {
    const part = bits.subarray(from, from + Number(buffer.size));
    look.shadow.memory.write(addressOf(look, buffer), part);
    from += part.length;
  }
};

const descriptionOf = ({ before, context }: Look, d: number): number | undefined =>
  before.processes[context.process]?.descriptors[d % maxDescriptors]?.description;

/** A read that gave bytes: from where the description was, or the first of a pipe. */
const reading = (look: Look, index: number | undefined, buffers: readonly Buffer[]): Answer => {
  const { observation, shadow } = look;
  const description = look.before.descriptions[index ?? -1];
  if (description === undefined || observation.kind !== "bytes") return "plain";
  const { length } = observation.bytes;
  const bits = taken(look, description, length);
  if ("pipe" in description.object) shadow.pipes.drop(description.object.pipe, length);
  scatter(look, buffers, bits);
  return derivedIf(anySet(bits));
};

const taken = ({ shadow }: Look, { object, offset }: Description, size: number): Bits =>
  "pipe" in object ? shadow.pipes.read(object.pipe, 0, size) : shadow.files.read(object.file, offset, size);

/** A write, of which as many bytes as it says were put behind what a pipe holds, or before where a file's offset now is. */
const writing = (look: Look, index: number | undefined, bits: Bits): Answer => {
  const { before, after, observation, shadow } = look;
  const description = after.descriptions[index ?? -1];
  if (description === undefined || observation.kind !== "integer") return "plain";
  const count = Number(observation.integer);
  const { object, offset } = description;
  const written = bits.subarray(0, count);
  if ("file" in object) shadow.files.write(object.file, offset - count, written);
  else shadow.pipes.write(object.pipe, before.pipes[object.pipe]?.bytes.length ?? 0, written);
  return "plain";
};

/** How many bytes are moved, and whether at all, the sizes say. */
const sizes = (operands: OneBuffer | TwoBuffers): readonly Integer[] =>
  "cs2" in operands ? [operands.n, operands.n2] : [operands.n];

type Transfer = { readonly d: number } & (OneBuffer | TwoBuffers);

const transfer = (answer: FlowOver<Transfer>["answer"]): FlowOver<Transfer> => ({
  oblivious: "by-operands",
  decides: sizes,
  answer,
});

const read = transfer((look, operands) => reading(look, descriptionOf(look, operands.d), buffersOf(look, operands)));

const write = transfer((look, operands) =>
  writing(look, descriptionOf(look, operands.d), gathered(look, buffersOf(look, operands))),
);

/** What is to be written is copied in at once. */
const enter: Flow<"call_enter"> = plain(
  ({ call }) => (call.op === "open" ? [] : sizes(call)),
  (look, { call }) => {
    const { shadow, context } = look;
    if (call.op !== "write" && call.op !== "writev") return;
    shadow.calls.write(context.thread, 0, gathered(look, buffersOf(look, call)));
  },
);

const finish: Flow<"call_finish"> = {
  oblivious: "by-operands",
  decides: () => [],
  answer: (look) => {
    const { before, context, shadow } = look;
    const { call } = before.threads[context.thread] ?? {};
    if (call === undefined || call.op === "open") return "plain";
    if ("buffers" in call) return reading(look, call.description, call.buffers);
    return writing(look, call.description, shadow.calls.read(context.thread, 0, call.bytes.length));
  },
};

/** A device reads what there was at submission. */
const submit: Flow<"virtq_submit"> = plain(
  ({ n }) => [n],
  (look, { cs1, n, direction }) => {
    if (direction !== "r") return;
    look.shadow.requests.write(look.before.submitted, 0, gathered(look, buffersOf(look, { cs1, n })));
  },
);

/** What it writes is its own. */
const complete: Flow<"virtq_complete"> = {
  oblivious: "by-operands",
  decides: () => [],
  answer: (look) => {
    const [request] = look.before.requests;
    if (request === undefined) return "plain";
    const { buffer, bytes, number } = request;
    if (bytes !== undefined) return derivedIf(anySet(look.shadow.requests.read(number, 0, bytes.length)));
    look.shadow.memory.fill(addressOf(look, buffer), Number(buffer.size), false);
    return "plain";
  },
};

const range = ({ start, length }: { readonly start: Integer; readonly length: Integer }): readonly Integer[] => [
  start,
  length,
];
const number = ({ n }: { readonly n: Integer }): readonly Integer[] => [n];

type Names =
  | ("pipe" | "open" | "close" | "dup" | "dup2" | "read" | "readv" | "write" | "writev" | "lseek")
  | ("fcntl_cloexec" | "fcntl_append" | "fcntl_nonblock" | "fcntl_getfd" | "fcntl_getfl" | "lock" | "unlock" | "getlk")
  | ("call_enter" | "call_finish" | "virtq_submit" | "virtq_complete");

export const fileFlows: Pick<Flows, Names> = {
  pipe: plain(),
  open: plain(),
  close: plain(),
  dup: plain(),
  dup2: plain(),
  read,
  readv: read,
  write,
  writev: write,
  lseek: plain(number),
  fcntl_cloexec: plain(number),
  fcntl_append: plain(number),
  fcntl_nonblock: plain(number),
  fcntl_getfd: plain(),
  fcntl_getfl: plain(),
  lock: plain(range),
  unlock: plain(range),
  getlk: plain(range),
  call_enter: enter,
  call_finish: finish,
  virtq_submit: submit,
  virtq_complete: complete,
};

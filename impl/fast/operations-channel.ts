/** Capabilities handed from process to process (CHAN-1, CHAN-2), and buffers handed to a device (DMA-1). */
import { BASE_HI, BASE_LO, OTYPE, TOP_EXTRA, TOP_HI, TOP_LO } from "./codec/types.js";
import { copyCell, decode, isMemory, isSealed, permits } from "./capability.js";
import type { HandlerOf, Handlers } from "./handler.js";
import type { Held, Machine } from "./machine.js";
import { giveCapability } from "./operations-capability.js";
import { bufferOf, heldRegister } from "./operations-transfer.js";
import { BYTES, failed, fails, NONE, WOULD_BLOCK } from "./outcome.js";
import { refused } from "./pages.js";
import { CD, CS1, N, registerAt } from "./program.js";
import { copyIn, copyOut, isFaulty, totalOf, touchBuffers } from "./transfer.js";
import { addHi, numberOf } from "./words.js";

/** Channels of a machine, and requests that a device holds. */
const maxChannels = 8;
const maxRequests = 4;

/** Exactly the kernel's page? */
const isKernels = ({ kernelLo, kernelHi, page, decoded }: Machine): boolean =>
  decoded[BASE_LO] === kernelLo &&
  decoded[BASE_HI] === kernelHi &&
  decoded[TOP_LO] === ((kernelLo + page) | 0) &&
  decoded[TOP_HI] === addHi(kernelLo, kernelHi, page, 0) &&
  decoded[TOP_EXTRA] === 0;

/** What a channel takes, as it is delivered: changed in place. False for what it refuses. */
function isSendable(machine: Machine, held: Held): boolean {
  const { codec, rights } = machine;
  if (!held.tag) return false;
  const decoded = decode(machine, held.cells, 0);
  const sentry = decoded[OTYPE] === codec.sentry;
  if (sentry && isKernels(machine)) return true;
  if (!isMemory(machine, decoded)) return false;
  if (isSealed(machine, decoded)) {
    return sentry && !permits(decoded, rights.store | rights.loadCap | rights.storeCap);
  }
  codec.andPermissions(held.cells, 0, ~(rights.loadCap | rights.storeCap), held.cells, 0);
  return true;
}

const channelOf = ({ channels }: Machine, ordinal: number): Held[] | undefined => channels[ordinal % channels.length];

const submit: HandlerOf<"virtq_submit"> = (machine, code, at, { direction }) => {
  const { process, requests } = machine;
  const reads = direction === "r";
  const buffer = bufferOf(machine, code, at + CS1, at + N);
  const isFull = requests.length >= maxRequests;
  if (fails(machine, [isFaulty(machine, !reads, buffer), "EFAULT"], [isFull, "EAGAIN"])) return;
  if (reads) {
    touchBuffers(machine, [buffer], totalOf([buffer]), false);
    if (refused(machine)) return;
  }
  const bytes = reads ? copyIn(machine, [buffer]) : undefined;
  requests.push({ process: process.ordinal, buffer, bytes, number: machine.submitted });
  machine.submitted += 1;
  machine.kind = NONE;
};

/** The oldest request, whoever submitted it; one that cannot be completed any more is dropped. */
const complete: HandlerOf<"virtq_complete"> = (machine) => {
  const [oldest] = machine.requests;
  if (oldest === undefined) {
    machine.kind = WOULD_BLOCK;
    return;
  }
  const { buffer, number } = oldest;
  machine.space = machine.processes[oldest.process]?.slot ?? 0;
  const isDropped = !buffer.capability.tag || (oldest.bytes === undefined && isFaulty(machine, true, buffer));
  if (isDropped) {
    machine.requests.shift();
    failed(machine, "EFAULT");
    return;
  }
  const written = (): Uint8Array =>
    Uint8Array.from({ length: numberOf(buffer.sizeLo, buffer.sizeHi) }, (_, index) => number + index);
  const bytes = oldest.bytes ?? written();
  if (oldest.bytes === undefined) {
    touchBuffers(machine, [buffer], bytes.length, true);
    if (refused(machine)) return;
    copyOut(machine, [buffer], bytes);
  }
  machine.requests.shift();
  machine.kind = BYTES;
  machine.seen = bytes;
};

export const channelHandlers = {
  channel: (machine) => {
    if (machine.channels.length >= maxChannels) {
      failed(machine, "EMFILE");
      return;
    }
    machine.channels.push([]);
    machine.kind = NONE;
  },
  sendcap: (machine, code, at, { channel }) => {
    const messages = channelOf(machine, channel);
    if (messages === undefined) {
      failed(machine, "EBADF");
      return;
    }
    const held = heldRegister(machine, registerAt(machine, code, at + CS1));
    if (!isSendable(machine, held)) {
      failed(machine, "EPERM");
    } else if (messages.length >= machine.config.channel) {
      machine.kind = WOULD_BLOCK;
    } else {
      messages.push(held);
      machine.kind = NONE;
    }
  },
  recvcap: (machine, code, at, { channel }) => {
    const messages = channelOf(machine, channel);
    if (messages === undefined) {
      failed(machine, "EBADF");
      return;
    }
    const message = messages.shift();
    if (message === undefined) {
      machine.kind = WOULD_BLOCK;
      return;
    }
    const to = registerAt(machine, code, at + CD);
    copyCell(machine, message.cells, 0, machine.registers, to * machine.granuleHalves);
    giveCapability(machine, to, message.tag);
  },
  virtq_submit: submit,
  virtq_complete: complete,
} satisfies Partial<Handlers>;

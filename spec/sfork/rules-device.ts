/** A device at a process's memory: buffers handed over, and completed later (DMA-1). */
import { call, done, failed, integer, refuse, register } from "./context.js";
import { maxRequests } from "./kernel.js";
import type { Rules } from "./rules.js";
import { copyIn, copyOut, inSpaceOf, isFaulty } from "./transfer.js";

export const deviceRules = {
  /**
   * The kernel keeps the capability; what the device is to read is read now.
   * @rule DMA-1 submit @source SFork design: device buffers
   */
  virtq_submit: (context, { cs1, n, direction }) => {
    const { machine, process } = context;
    const buffer = { capability: register(context, cs1), size: integer(context, n) };
    const checks = [
      [isFaulty(machine, direction === "r" ? "load" : "store", buffer), "EFAULT"],
      [machine.requests.length >= maxRequests, "EAGAIN"],
    ] as const;
    return call(context, checks, () => {
      const copied = direction === "r" ? copyIn(machine, [buffer]) : { machine, bytes: undefined };
      if ("kind" in copied) return refuse(context, copied);
      const request = { process, buffer, bytes: copied.bytes, number: machine.submitted };
      const requests = [...machine.requests, request];
      return done({ ...copied.machine, requests, submitted: machine.submitted + 1 });
    });
  },
  /**
   * The oldest request, whoever submitted it. Written are bytes of the request's number, to the page as its owner has it
   * now; a buffer that was swept, whose submitter is gone, or that may not be written any more is dropped.
   * @rule DMA-1 complete @source SFork design: device buffers
   */
  virtq_complete: (context) => {
    const [oldest, ...requests] = context.machine.requests;
    if (oldest === undefined) return refuse(context, { kind: "would-block" });
    const { buffer, process, number } = oldest;
    const rest = { ...context.machine, requests };
    const machine = inSpaceOf(rest, process);
    const isDropped = !buffer.capability.tag || (oldest.bytes === undefined && isFaulty(machine, "store", buffer));
    if (isDropped) return { ...failed(context, "EFAULT"), machine: rest };
    const bytes = oldest.bytes ?? Array.from({ length: Number(buffer.size) }, (_, index) => (number + index) & 0xff);
    const written = oldest.bytes === undefined ? copyOut(machine, [buffer], bytes) : machine;
    return "kind" in written ? refuse(context, written) : { machine: written, observation: { kind: "bytes", bytes } };
  },
} satisfies Partial<Rules>;

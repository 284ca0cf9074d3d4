/** Corner cases of calls that are split in two, and of buffers that a device was handed. */
import { sharedBase } from "../../spec/sfork/config.js";
import type { Capability } from "../../spec/cheri/index.js";
import { delivering, ending, type CornerCases } from "./case.js";
import type { Evidence } from "./evidence.js";

const finishing = ["call_finish"] as const;
const completing = ["virtq_complete"] as const;

/** The call that the step finishes, as the machine has it and as it was entered. */
const finished = (evidence: Evidence) => {
  const { thread } = evidence.transition;
  const kept = evidence.before.threads[thread]?.call;
  const entered = kept === undefined ? undefined : evidence.history.calls.get(thread);
  return kept === undefined || entered === undefined ? undefined : { kept, entered };
};

const sameCapability = (a: Capability, b: Capability): boolean =>
  a.tag === b.tag && a.address === b.address && a.metadata === b.metadata;

/** Calls that end with the step, unfinished: of threads for which it holds. */
const drops = ({ before, after, transition }: Evidence, isSuch: (thread: number) => boolean): boolean =>
  before.threads.some(
    ({ call, live }, thread) =>
      live &&
      call !== undefined &&
      thread !== transition.thread &&
      isSuch(thread) &&
      after.threads[thread]?.call === undefined,
  );

/** Requests whose buffers lost their capability with the step. */
const revokes = ({ before, after, succeeded }: Evidence): boolean =>
  succeeded &&
  before.requests.some(
    ({ number, buffer }) =>
      buffer.capability.tag && after.requests.some((one) => one.number === number && !one.buffer.capability.tag),
  );

const request = ({ before, history }: Evidence) => {
  const [oldest] = before.requests;
  const submitted = oldest === undefined ? undefined : history.submitted.get(oldest.number);
  return oldest === undefined || submitted === undefined ? undefined : { oldest, submitted };
};

export const callCases = {
  "call-buffer-overwritten": {
    description: "what was to be written changed in memory after the call was entered: the old bytes are written",
    on: finishing,
    reached: (evidence) => evidence.succeeded && finished(evidence)?.entered.overwritten === true,
  },
  "call-register-overwritten": {
    description: "the register of a buffer holds something else when the call is finished",
    on: finishing,
    reached: (evidence) => {
      const { call, capability } = finished(evidence)?.entered ?? {};
      if (call === undefined || call.op === "open" || capability === undefined) return false;
      return evidence.succeeded && !sameCapability(evidence.register(call.cs1), capability);
    },
  },
  "call-length-overwritten": {
    description: "the register of a call's length holds another one when the call is finished",
    on: finishing,
    reached: (evidence) => {
      const { call, length } = finished(evidence)?.entered ?? {};
      if (call === undefined || call.op === "open" || length === undefined || "immediate" in call.n) return false;
      return evidence.succeeded && evidence.integer(call.n) !== length;
    },
  },
  "call-buffer-unmapped": {
    description: "the buffer of a call was unmapped before it was finished",
    on: finishing,
    reached: (evidence) => {
      const { kept, entered } = finished(evidence) ?? {};
      const swept = kept !== undefined && "buffers" in kept && kept.buffers.some(({ capability }) => !capability.tag);
      return swept && entered?.capability?.tag === true && evidence.failedWith("EFAULT");
    },
  },
  "call-buffer-protected": {
    description: "the buffer of a call may not be written any more when it is finished",
    on: finishing,
    reached: (evidence) => {
      const { kept } = finished(evidence) ?? {};
      const held = kept !== undefined && "buffers" in kept && kept.buffers.every(({ capability }) => capability.tag);
      const isProtected = evidence.accesses.some(({ pages }) =>
        pages.some(({ entry }) => entry?.protection.write === false),
      );
      return held && isProtected && evidence.failedWith("EFAULT");
    },
  },
  "call-across-fork": {
    description: "a call is finished after a fork of its process",
    on: finishing,
    reached: (evidence) => evidence.succeeded && finished(evidence)?.entered.forked === true,
  },
  "call-splits-shared-frame": {
    description: "a call that was entered before a fork writes to a frame that is shared since",
    on: finishing,
    reached: (evidence) =>
      evidence.succeeded &&
      finished(evidence)?.entered.forked === true &&
      evidence.writes.some(({ pages }) => pages.some(({ frame }) => (frame?.references ?? 0) > 1)),
  },
  "call-dropped-in-child": {
    description: "a child has not got the call that its parent was in",
    on: finishing,
    reached: (evidence) => evidence.failedWith("EINVAL") && evidence.history.droppedCalls.has(evidence.process),
  },
  "call-outlives-descriptor": {
    description: "a call is finished on a description whose descriptor is closed",
    on: finishing,
    reached: (evidence) => {
      const { kept } = finished(evidence) ?? {};
      const index = kept !== undefined && "description" in kept ? kept.description : undefined;
      const { descriptors = [] } = evidence.before.processes[evidence.process] ?? {};
      return evidence.succeeded && index !== undefined && descriptors.every((one) => one?.description !== index);
    },
  },
  "call-finish-blocks": {
    description: "a call would block when it is finished, and stays",
    on: finishing,
    reached: ({ transition: { observation } }) => observation.kind === "would-block",
  },
  "call-finish-fails": {
    description: "a call that was entered fails when it is finished, though its buffer would do",
    on: finishing,
    reached: (evidence) =>
      finished(evidence) !== undefined &&
      evidence.transition.observation.kind === "error" &&
      !evidence.failedWith("EFAULT"),
  },
  "call-entered-twice": {
    description: "a thread enters a call while it is in another",
    on: ["call_enter"],
    reached: ({ before, transition }) =>
      before.threads[transition.thread]?.call !== undefined && transition.observation.kind === "error",
  },
  "call-dropped-by-exec": {
    description: "another thread's call ends because its process begins another image",
    on: ["exec"],
    reached: (evidence) => evidence.succeeded && drops(evidence, () => true),
  },
  "call-dropped-by-end": {
    description: "a call ends with its process",
    on: [...ending, ...delivering, "kill"],
    reached: (evidence) => {
      const { before, after } = evidence;
      return before.threads.some(
        ({ call, process }) =>
          call !== undefined &&
          before.processes[process]?.state.kind === "live" &&
          after.processes[process]?.state.kind !== "live",
      );
    },
  },
  "device-write-after-fork": {
    description: "a device writes to a frame that is shared since the buffer was submitted",
    on: completing,
    reached: (evidence) =>
      evidence.succeeded &&
      request(evidence)?.submitted.forked === true &&
      evidence.writes.some(({ pages }) => pages.some(({ frame }) => (frame?.references ?? 0) > 1)),
  },
  "device-write-to-unresolved": {
    description: "a device writes to a page that is unresolved",
    on: completing,
    reached: (evidence) =>
      evidence.succeeded && evidence.writes.some(({ pages }) => pages.some(({ unresolved }) => unresolved)),
  },
  "device-write-over-pointer": {
    description: "a device overwrites a pointer",
    on: completing,
    reached: (evidence) =>
      evidence.succeeded &&
      evidence.writes.some(({ address }) => {
        const { granule } = evidence.before.format;
        return evidence.granuleAt(evidence.before, address - (address % granule))?.tag === true;
      }),
  },
  "device-reads-bytes-of-submission": {
    description: "a device is done reading a buffer that was overwritten since it was submitted",
    on: completing,
    reached: (evidence) =>
      evidence.succeeded &&
      request(evidence)?.oldest.bytes !== undefined &&
      request(evidence)?.submitted.overwritten === true,
  },
  "device-completes-for-another": {
    description: "one process completes the request of another",
    on: completing,
    reached: (evidence) => evidence.succeeded && request(evidence)?.submitted.process !== evidence.process,
  },
  "device-full": {
    description: "a device has as many requests as it may have",
    on: ["virtq_submit"],
    reached: (evidence) => evidence.failedWith("EAGAIN"),
  },
  "device-idle": {
    description: "nothing is there to complete",
    on: completing,
    reached: ({ transition: { observation } }) => observation.kind === "would-block",
  },
  "device-revoked-by-munmap": {
    description: "a buffer is unmapped while a device has it",
    on: ["munmap"],
    reached: revokes,
  },
  "device-revoked-by-exec": {
    description: "a process begins another image while a device has its buffer",
    on: ["exec"],
    reached: revokes,
  },
  "device-revoked-by-end": {
    description: "a process ends while a device has its buffer",
    on: [...ending, ...delivering, "kill"],
    reached: revokes,
  },
  "device-outlived-by-segment": {
    description: "a request is completed whose buffer is in a shared segment, and whose process is no more",
    on: completing,
    reached: ({ before }) => {
      const { process, buffer } = before.requests[0] ?? {};
      const isGone = process !== undefined && before.processes[process]?.state.kind !== "live";
      return isGone && buffer !== undefined && buffer.capability.base >= sharedBase(before.config);
    },
  },
  "device-drops-revoked": {
    description: "a request is dropped whose buffer is gone",
    on: completing,
    reached: (evidence) =>
      evidence.failedWith("EFAULT") && evidence.before.requests[0]?.buffer.capability.tag === false,
  },
  "device-drops-protected": {
    description: "a request is dropped whose buffer may not be written any more",
    on: completing,
    reached: (evidence) => evidence.failedWith("EFAULT") && evidence.before.requests[0]?.buffer.capability.tag === true,
  },
} as const satisfies CornerCases;

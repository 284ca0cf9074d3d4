/** Descriptors, descriptions and ends of pipes are counted exactly, and what depends on the counts is true (INV-12). */
import { integer, type Context } from "../sfork/context.js";
import { maxDescriptors, type Description } from "../sfork/kernel.js";
import type { Machine } from "../sfork/machine.js";
import { isLive, sameBut } from "./transition.js";
import type { Violation } from "./places.js";
import type { Invariant, Scope } from "./transition.js";
import { flatMap } from "../sfork/lists.js";

/** Everything that refers to a description: descriptors of live processes, and calls under way. */
const referencesIn = ({ processes, threads }: Machine): readonly number[] => [
  ...flatMap(processes, ({ state, descriptors }) =>
    state.kind === "live" ? flatMap(descriptors, (one) => (one === undefined ? [] : [one.description])) : [],
  ),
  ...flatMap(threads, ({ live, call }) =>
    live && call !== undefined && "description" in call ? [call.description] : [],
  ),
];

const isEnd = (one: Description | undefined, pipe: number, end: "read" | "write"): boolean =>
  one !== undefined && "pipe" in one.object && one.object.pipe === pipe && one.flags.includes(end);

const miscounted = ({ after }: Scope): readonly Violation[] => {
  const references = referencesIn(after);
  const wrong = flatMap(after.descriptions, (one, index) => {
    const counted = references.filter((other) => other === index).length;
    return (one?.references ?? 0) === counted && (one === undefined || counted > 0)
      ? []
      : [`description ${index.toString()} counts ${(one?.references ?? 0).toString()}, has ${counted.toString()}`];
  });
  const absent = references.filter((index) => after.descriptions[index] === undefined);
  const pipes = flatMap(after.pipes, (pipe, index) => {
    const open = after.descriptions.some((one) => isEnd(one, index, "read") || isEnd(one, index, "write"));
    return (pipe !== undefined) === open ? [] : [`pipe ${index.toString()} is there without ends, or ends without it`];
  });
  const dead = flatMap(after.processes, ({ descriptors }, ordinal) =>
    !isLive(after, ordinal) && descriptors.some((one) => one !== undefined)
      ? [`P${ordinal.toString()} is no more, and has some`]
      : [],
  );
  return [
    ...wrong,
    ...absent.map((index) => `description ${index.toString()} is referred to, and not there`),
    ...pipes,
    ...dead,
  ].map((what) => ({ rule: "INV-12", where: "descriptors", what }));
};

/** What a step read from or wrote to, and whether it asked for any bytes at all. */
const transferOf = ({ before, operation, thread, process }: Scope) => {
  const context: Context = { machine: before, format: before.format, thread, process };
  const call = before.threads[thread]?.call;
  if (operation.op === "call_finish" && call !== undefined && "description" in call) {
    const size = "bytes" in call ? call.bytes.length : call.buffers.reduce((sum, one) => sum + Number(one.size), 0);
    return { index: call.description, some: size > 0 };
  }
  const vector = operation.op === "readv" || operation.op === "writev";
  if (!vector && operation.op !== "read" && operation.op !== "write") return undefined;
  const some = integer(context, operation.n) + (vector ? integer(context, operation.n2) : 0n) > 0n;
  const index = before.processes[process]?.descriptors[operation.d % maxDescriptors]?.description;
  return index === undefined ? undefined : { index, some };
};

/** End of file says that nobody could write any more, a broken pipe that nobody could read; waiting, that somebody could. */
const mistaken = (scope: Scope): readonly Violation[] => {
  const { before, observation } = scope;
  const { index, some = false } = transferOf(scope) ?? {};
  const description = index === undefined ? undefined : before.descriptions[index];
  if (description === undefined || !("pipe" in description.object) || !some) return [];
  const { pipe } = description.object;
  const references = referencesIn(before);
  const open = (end: "read" | "write"): boolean => references.some((one) => isEnd(before.descriptions[one], pipe, end));
  const isEmpty = before.pipes[pipe]?.bytes.length === 0;
  const ended = observation.kind === "bytes" && observation.bytes.length === 0;
  const waited = observation.kind === "would-block" || (observation.kind === "error" && observation.error === "EAGAIN");
  const broken = observation.kind === "error" && observation.error === "EPIPE";
  const reads = description.flags.includes("read");
  const wrong = reads
    ? (ended && (open("write") || !isEmpty)) || (waited && (!open("write") || !isEmpty))
    : (broken && open("read")) || ((waited || observation.kind === "integer") && !open("read"));
  const what = `observed ${observation.kind}, which the ends that are open do not allow`;
  return wrong ? [{ rule: "INV-12", where: `pipe ${pipe.toString()}`, what }] : [];
};

/**
 * Counts of descriptions are the descriptors, and the calls, that refer to them; pipes are there as long as an end is; and
 * a pipe says end of file, or breaks, exactly when the last end on the other side is closed.
 * @rule INV-12 descriptors @source POSIX close, read, write (pipes); SFork design: kernel objects
 */
export const exactDescriptors: Invariant = (scope) => {
  const { before, after, full } = scope;
  const same =
    before.descriptions === after.descriptions &&
    before.pipes === after.pipes &&
    sameBut(before.processes, after.processes, (a, b) => a.descriptors === b.descriptors && a.state === b.state) &&
    sameBut(before.threads, after.threads, (a, b) => a.call === b.call && a.live === b.live);
  return [...(same && !full ? [] : miscounted(scope)), ...mistaken(scope)];
};

/**
 * Grants: foreign memory that a process holds legitimately, by channel (CHAN-2, CHAN-3). The checker keeps them itself, from
 * the steps and the ranges that ended; the machine knows nothing of them.
 */
import { isSealed, permissionMask, permits, type Capability } from "../cheri/index.js";
import { register } from "../sfork/context.js";
import type { Machine } from "../sfork/machine.js";
import type { Range } from "../sfork/relocate.js";
import { isLive, livingIn, overlaps, reach, regionOf, within } from "./transition.js";
import type { Extent, Grant, Grants, Moved } from "./transition.js";
import { flatMap } from "../sfork/lists.js";

export const noGrants: Grants = { held: [[]], inFlight: [] };

/** The grant covers everything that the capability reaches, with all its rights. */
export const covers = (machine: Machine, grant: Grant, capability: Capability): boolean => {
  const bytes = reach(machine, capability);
  return bytes !== undefined && within(bytes, grant.range) && (capability.permissions & ~grant.permissions) === 0n;
};

/**
 * The grant that a message carries: in the name of the region's owner, or of whom the sender's own grant names. What is
 * sealed goes only as a sentry that can do no more than be called, and carries none otherwise.
 * @rule CHAN-2 grant @source SFork design: capabilities in messages
 */
const granted = (machine: Machine, grants: Grants, sender: number, sent: Capability): Grant | undefined => {
  const { format } = machine;
  const bytes = reach(machine, sent);
  const plain = sent.otype === format.otypes.sentry && !permits(format, sent, "store");
  if (bytes === undefined || !sent.tag || (isSealed(format, sent) && !plain)) return undefined;
  const owner = livingIn(machine).find(({ slot }) => within(bytes, regionOf(machine, slot)))?.ordinal;
  const foreign = (grants.held[sender] ?? []).find((grant) => covers(machine, grant, sent));
  const named = owner === sender ? sender : foreign?.owner;
  const permissions = sent.permissions & ~permissionMask(format.permissionBits, ["load-cap", "store-cap"]);
  return named === undefined ? undefined : { owner: named, range: bytes, permissions };
};

/**
 * A grant without a range that ended: what remains on either side stays one.
 * @rule REUSE-1 cut @source SFork design: grants over memory that ends
 */
export const cut = (grant: Grant, ended: Range): readonly Grant[] => {
  const { start, end } = grant.range;
  if (!overlaps(grant.range, ended)) return [grant];
  return flatMap(
    [
      { start, end: ended.start },
      { start: ended.end, end },
    ],
    (range) => (range.start < range.end ? [{ ...grant, range }] : []),
  );
};

/**
 * The grants after a step: handed on by channels, cut where memory ended. A child has those of its parent, but for the
 * parent's own memory.
 * @rule CHAN-3 grants @source SFork design: grants across a fork
 */
export const stepGrants = (
  { before, operation, thread, process, observation, after }: Moved,
  ended: readonly Extent[],
  old: Grants,
): Grants => {
  if (ended.length === 0 && !["fork", "exec", "sendcap", "recvcap"].includes(operation.op)) return old;
  const left = (grant: Grant): readonly Grant[] =>
    ended.reduce<readonly Grant[]>((pieces, range) => flatMap(pieces, (one) => cut(one, range)), [grant]);
  const held = after.processes.map((_, index) => (isLive(after, index) ? flatMap(old.held[index] ?? [], left) : []));
  // A message whose memory ended has lost its tag, and needs no grant.
  const inFlight = after.channels.map((_, channel) =>
    (old.inFlight[channel] ?? []).map((grant) =>
      grant === undefined || ended.some((range) => overlaps(grant.range, range)) ? undefined : grant,
    ),
  );
  if (observation.kind === "child") {
    const inherited = (held[process] ?? []).filter(({ owner }) => owner !== process);
    return { held: held.with(observation.child, inherited), inFlight };
  }
  // Another image knows nothing of what was given to the one before.
  if (operation.op === "exec" && observation.kind === "none") return { held: held.with(process, []), inFlight };
  if (operation.op === "sendcap" && observation.kind === "none") {
    const channel = operation.channel % after.channels.length;
    const sent = register({ machine: before, format: before.format, thread, process }, operation.cs1);
    const messages = [...(inFlight[channel] ?? []), granted(before, old, process, sent)];
    return { held, inFlight: inFlight.with(channel, messages) };
  }
  if (operation.op === "recvcap" && observation.kind === "capability") {
    const channel = operation.channel % after.channels.length;
    const [first, ...rest] = inFlight[channel] ?? [];
    const handed = first === undefined || first.owner === process ? [] : [first];
    return {
      held: held.with(process, [...(held[process] ?? []), ...handed]),
      inFlight: inFlight.with(channel, rest),
    };
  }
  return { held, inFlight };
};

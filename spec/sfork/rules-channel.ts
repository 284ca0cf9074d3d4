/** Channels as steps: capabilities handed from process to process (CHAN-1, CHAN-2). */
import { andPermissions, isSealed, permissionMask, permits, type Capability } from "../cheri/index.js";
import { done, failed, giveCapability, refuse, register, type Context, type Outcome } from "./context.js";
import { kernelBase } from "./config.js";
import { maxChannels, type Machine } from "./machine.js";
import { isMemoryCapability } from "./relocate.js";
import type { Rules } from "./rules.js";

/**
 * What a channel takes, as it will be delivered; undefined for what it refuses. Memory goes without the rights to load and
 * store capabilities, so that what is granted cannot grant further; a sentry goes if it has none of the three rights that
 * would carry more; every other sealed capability, sealing authority and untagged values stay where they are.
 * @rule CHAN-2 message @source SFork design: capabilities in messages
 */
const message = (machine: Machine, capability: Capability): Capability | undefined => {
  const { format } = machine;
  if (!capability.tag) return undefined;
  const sentry = capability.otype === format.otypes.sentry;
  const kernel = kernelBase(machine.config);
  const isEntry = capability.base === kernel && capability.top === kernel + BigInt(machine.config.page);
  if (sentry && isEntry) return capability;
  if (!isMemoryCapability(format, capability)) return undefined;
  if (!isSealed(format, capability)) {
    return andPermissions(format, capability, ~permissionMask(format.permissionBits, ["load-cap", "store-cap"]));
  }
  const harmless = (["store", "load-cap", "store-cap"] as const).every((right) => !permits(format, capability, right));
  return sentry && harmless ? capability : undefined;
};

/** What lies in a channel, and the machine with something else in it; EBADF where there is none. */
const withChannel = (
  context: Context,
  ordinal: number,
  act: (messages: readonly Capability[], become: (messages: readonly Capability[]) => Machine) => Outcome,
): Outcome => {
  const { machine } = context;
  const index = ordinal % machine.channels.length;
  const channel = machine.channels[index];
  if (channel === undefined) return failed(context, "EBADF");
  return act(channel.messages, (messages) => ({ ...machine, channels: machine.channels.with(index, { messages }) }));
};

/** Send what a channel takes. */
export const sendingAs =
  (accepted: typeof message): Rules["sendcap"] =>
  (context, { channel, cs1 }) =>
    withChannel(context, channel, (messages, become) => {
      const sent = accepted(context.machine, register(context, cs1));
      if (sent === undefined) return failed(context, "EPERM");
      const isFull = messages.length >= context.machine.config.channel;
      return isFull ? refuse(context, { kind: "would-block" }) : done(become([...messages, sent]));
    });

export const channelRules = {
  channel: (context) =>
    context.machine.channels.length >= maxChannels
      ? failed(context, "EMFILE")
      : done({ ...context.machine, channels: [...context.machine.channels, { messages: [] }] }),
  sendcap: sendingAs(message),
  /**
   * What was sent is delivered once, as it lies in the channel: forks since then have neither copied nor relocated it.
   * @rule CHAN-1 delivery @source SFork design: capabilities in messages
   */
  recvcap: (context, { cd, channel }) =>
    withChannel(context, channel, ([first, ...rest], become) =>
      first === undefined ? refuse(context, { kind: "would-block" }) : giveCapability(context, cd, first, become(rest)),
    ),
} satisfies Partial<Rules>;

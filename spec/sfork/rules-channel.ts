/** Channels as steps: capabilities handed from process to process (CHAN-1, CHAN-2). */
import {
  andPermissions,
  isSealed,
  permissionMask,
  permits,
  type Capability,
  type CapabilityFormat,
} from "../cheri/index.js";
import { done, failed, giveCapability, refuse, register, type Context } from "./context.js";
import { kernelBase } from "./config.js";
import type { Channel, Machine } from "./machine.js";
import { isMemoryCapability } from "./relocate.js";
import type { Rules } from "./rules.js";

/** Channels that a machine holds. */
const maxChannels = 16;

const isKernelEntry = (machine: Machine, capability: Capability): boolean =>
  capability.otype === machine.format.otypes.sentry && capability.base === kernelBase(machine.config);

/**
 * What a channel takes, as it will be delivered; undefined for what it refuses. Memory goes without the rights to load and
 * store capabilities, so that what is granted cannot grant further; a sentry goes if it has none of the three rights that
 * would carry more; every other sealed capability, sealing authority and untagged values stay where they are.
 * @rule CHAN-2 message @source SFork design: capabilities in messages
 */
const message = (machine: Machine, capability: Capability): Capability | undefined => {
  const { format } = machine;
  if (!capability.tag) return undefined;
  if (isKernelEntry(machine, capability)) return capability;
  if (!isMemoryCapability(format, capability)) return undefined;
  if (!isSealed(format, capability)) return withoutTransfer(format, capability);
  const harmless = (["store", "load-cap", "store-cap"] as const).every((right) => !permits(format, capability, right));
  return capability.otype === format.otypes.sentry && harmless ? capability : undefined;
};

const withoutTransfer = (format: CapabilityFormat, capability: Capability): Capability =>
  andPermissions(format, capability, ~permissionMask(format.permissionBits, ["load-cap", "store-cap"]));

const channelOf = (
  { machine }: Context,
  ordinal: number,
): { readonly index: number; readonly channel: Channel } | undefined => {
  const index = machine.channels.length === 0 ? 0 : ordinal % machine.channels.length;
  const channel = machine.channels[index];
  return channel === undefined ? undefined : { index, channel };
};

const withMessages = (machine: Machine, index: number, messages: readonly Capability[]): Machine => ({
  ...machine,
  channels: machine.channels.with(index, { messages }),
});

export const channelRules = {
  channel: (context) =>
    context.machine.channels.length >= maxChannels
      ? failed(context, "EMFILE")
      : done({ ...context.machine, channels: [...context.machine.channels, { messages: [] }] }),
  sendcap: (context, { channel: ordinal, cs1 }) => {
    const found = channelOf(context, ordinal);
    if (found === undefined) return failed(context, "EBADF");
    const sent = message(context.machine, register(context, cs1));
    if (sent === undefined) return failed(context, "EPERM");
    const { messages } = found.channel;
    if (messages.length >= context.machine.config.channel) return refuse(context, { kind: "would-block" });
    return done(withMessages(context.machine, found.index, [...messages, sent]));
  },
  /**
   * What was sent is delivered once, as it lies in the channel: forks since then have neither copied nor relocated it.
   * @rule CHAN-1 delivery @source SFork design: capabilities in messages
   */
  recvcap: (context, { cd, channel: ordinal }) => {
    const found = channelOf(context, ordinal);
    if (found === undefined) return failed(context, "EBADF");
    const [first, ...rest] = found.channel.messages;
    if (first === undefined) return refuse(context, { kind: "would-block" });
    return giveCapability(context, cd, first, withMessages(context.machine, found.index, rest));
  },
} satisfies Partial<Rules>;

/* Channels, by which processes hand each other capabilities: what is in one belongs to nobody, and no fork moves it. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

/*
 * What is delivered for a capability: memory without the rights that would hand on more of it; a sentry that has none
 * of them; the kernel's entry. False for what stays where it is.
 */
static bool is_taken(struct capability *c) {
  const uint32_t carrying = PERM_LOAD_CAP | PERM_STORE_CAP;
  struct bounds bounds = bounds_of(*c);
  bool is_entry = bounds.base == kernel_base() && bounds.top == kernel_base() + machine.config.page;
  if (!c->tag) return false;
  if (is_sentry(*c) && is_entry) return true;
  if (!is_memory(*c)) return false;
  if (is_sealed(*c)) return is_sentry(*c) && (permissions_of(*c) & (carrying | PERM_STORE)) == 0;
  *c = candperm(*c, ~carrying);
  return true;
}

static bool send(struct call *call, struct channel *channel, struct capability c) {
  if (!is_taken(&c)) return see_error(call, SFORK_EPERM);
  if (channel->count >= machine.config.channel) return see_failure(call, SFORK_SAW_WOULD_BLOCK);
  if (channel->count == channel->room) {
    channel->room = 2 * channel->room + 4;
    channel->messages = realloc(channel->messages, channel->room * sizeof c);
    if (channel->messages == NULL) abort();
  }
  channel->messages[channel->count++] = c;
  return see_nothing(call);
}

static bool receive(struct call *call, struct channel *channel) {
  if (channel->count == 0) return see_failure(call, SFORK_SAW_WOULD_BLOCK);
  struct capability first = channel->messages[0];
  channel->count--;
  memmove(&channel->messages[0], &channel->messages[1], channel->count * sizeof first);
  return see_capability(call, call->step->cd, first);
}

bool channel_operation(struct call *call) {
  const sfork_step *step = call->step;
  if (step->op == SFORK_OP_CHANNEL) {
    if (machine.channel_count == MOST_CHANNELS) return see_error(call, SFORK_EMFILE);
    machine.channels[machine.channel_count++].count = 0;
    return see_nothing(call);
  }
  if (step->channel >= machine.channel_count) return see_error(call, SFORK_EBADF);
  struct channel *channel = &machine.channels[step->channel];
  if (step->op == SFORK_OP_RECVCAP) return receive(call, channel);
  return send(call, channel, call->thread->registers[step->cs1]);
}

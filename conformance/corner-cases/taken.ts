/** What signals did in a step. */
import type { Action } from "../../spec/sfork/kernel.js";
import type { Machine } from "../../spec/sfork/machine.js";
import type { Evidence } from "./evidence.js";

export const actionsOf = ({ processes }: Machine, process: number) =>
  processes[process]?.actions ?? new Map<number, Action>();

export type Handler = Exclude<Action, "ignore">;

/** Handlers that this step ran, with their signals. */
export const ran = (evidence: Evidence): readonly { readonly signal: number; readonly handler: Handler }[] => {
  const { before, process, transition } = evidence;
  const actions = actionsOf(before, process);
  return transition.signals.flatMap((signal) => {
    const handler = actions.get(signal);
    return handler === undefined || handler === "ignore" ? [] : [{ signal, handler }];
  });
};

export const isLive = ({ processes }: Machine, process: number): boolean => processes[process]?.state.kind === "live";

/** Who ended with the step, by a signal. */
export const signalled = ({ before, after }: Evidence): readonly { readonly process: number; readonly by: number }[] =>
  before.processes.flatMap(({ state }, process) => {
    const now = after.processes[process]?.state;
    const ended = state.kind === "live" && now?.kind === "zombie" && "signalled" in now.status;
    return ended ? [{ process, by: now.status.signalled }] : [];
  });

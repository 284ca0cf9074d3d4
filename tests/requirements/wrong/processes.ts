/** Machines that are wrong about attributes, ends, waiting and other images. */
import { relocate } from "../../../spec/cheri/index.js";
import { withProcess } from "../../../spec/sfork/context.js";
import type { ExitStatus } from "../../../spec/sfork/observation.js";
import { regionBase, type Machine } from "../../../spec/sfork/machine.js";
import { afterwards, atEnd, atFork, bornWith, eachProcess, insteadOf, wrongly, type Wrong } from "./machines.js";

/** Who has just ended, with another status. */
const withStatus = (machine: Machine, ended: readonly number[], status: (old: ExitStatus) => ExitStatus): Machine =>
  eachProcess(machine, ({ state }, ordinal) =>
    ended.includes(ordinal) && state.kind === "zombie" ? { state: { ...state, status: status(state.status) } } : {},
  );

export const wrongAttributes: Readonly<Record<string, Wrong>> = {
  A01: { does: "puts the child into a group of its own", take: bornWith((_, { child }) => ({ group: child })) },
  A02: {
    does: "lets a parent move its child after exec",
    take: afterwards(["exec"], ({ taken: { machine }, process }) => withProcess(machine, process, { executed: false })),
  },
  A03: {
    does: "lets the leader of a group begin a session",
    take: wrongly(["setsid"], ({ taken: { machine }, process }) => ({
      observation: { kind: "integer", integer: BigInt(machine.processes[process]?.pid ?? 0) },
    })),
  },
  A04: {
    does: "starts the child in / with the usual umask",
    take: bornWith(() => ({ umask: 0o22, directory: "/" })),
  },
  A06: {
    does: "starts the child with the usual limits",
    take: bornWith((_, { machine: { config } }) => ({ limits: { nofile: 16, nproc: config.processes } })),
  },
  H05: {
    does: "completes the parent's request in the child",
    take: atFork(({ machine, parent, child, slots }) => {
      const delta = regionBase(machine.config, slots.child) - regionBase(machine.config, slots.parent);
      return {
        ...machine,
        requests: machine.requests.map((request) => {
          const { capability } = relocate(machine.format, request.buffer.capability, delta);
          return request.process === parent
            ? { ...request, process: child, buffer: { ...request.buffer, capability } }
            : request;
        }),
      };
    }),
  },
};

export const wrongEnding: Readonly<Record<string, Wrong>> = {
  W01: {
    does: "reports the whole status",
    take: wrongly(["exit"], ({ next: { operation }, taken: { machine }, process }) => {
      const whole = operation.op === "exit" && "immediate" in operation.n ? Number(operation.n.immediate) : 0;
      return { machine: withStatus(machine, [process], () => ({ exited: whole })) };
    }),
  },
  W02: {
    does: "reports a signal as an exit",
    take: atEnd((machine, ended) =>
      withStatus(machine, ended, (old) => ("signalled" in old ? { exited: 128 + old.signalled } : old)),
    ),
  },
  W03: {
    does: "keeps a zombie's descriptors",
    take: atEnd((machine, _, { descriptions, pipes }) => ({ ...machine, descriptions, pipes })),
  },
  W04: {
    does: "reports a child again and again",
    take: afterwards(["wait"], ({ before, taken: { machine } }) =>
      eachProcess(machine, ({ state }, ordinal) => ({ state: before.processes[ordinal]?.state ?? state })),
    ),
  },
  W05: {
    does: "lets a process wait for any",
    take: insteadOf("wait", (machine, { operation }, { process = 0 }) =>
      operation.op === "wait" && operation.whom !== undefined
        ? withProcess(machine, operation.whom, { parent: process })
        : machine,
    ),
  },
  W06: {
    does: "says that there is no child while one lives",
    take: wrongly(["wait"], ({ taken: { observation } }) =>
      observation.kind === "would-block"
        ? { observation: { kind: "error", error: "ECHILD", allowed: ["ECHILD"] } }
        : {},
    ),
  },
  W07: {
    does: "leaves orphans to the process that has ended",
    take: atEnd((machine, _, before) =>
      eachProcess(machine, ({ parent }, ordinal) => ({ parent: before.processes[ordinal]?.parent ?? parent })),
    ),
  },
  W08: {
    does: "leaves zombies that nobody wants",
    take: atEnd((machine, ended) =>
      eachProcess(machine, (_, ordinal) =>
        ended.includes(ordinal) ? { state: { kind: "zombie", status: { exited: 0 }, ended: machine.endings } } : {},
      ),
    ),
  },
  E01: {
    does: "closes all descriptors at exec",
    take: afterwards(["exec"], ({ taken: { machine }, process }) => withProcess(machine, process, { descriptors: [] })),
  },
  E02: {
    does: "makes ignored signals default at exec",
    take: afterwards(["exec"], ({ taken: { machine }, process }) =>
      withProcess(machine, process, { actions: new Map() }),
    ),
  },
};

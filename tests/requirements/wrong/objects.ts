/** Machines that are wrong about descriptors, locks, signals and time. */
import { nullCapability } from "../../../spec/cheri/index.js";
import { closedWhere } from "../../../spec/sfork/descriptors.js";
import type { Machine } from "../../../spec/sfork/machine.js";
import { afterwards, atEnd, atFork, bornWith, eachProcess, threadWith, wrongly, type Wrong } from "./machines.js";

/** Each of a child's descriptors gets a description of its own, and a pipe of its own if that is asked for. */
const withOwnDescriptions = (machine: Machine, child: number, copiesPipes: boolean): Machine => {
  const { descriptors = [] } = machine.processes[child] ?? {};
  const first = machine.descriptions.length;
  const own = descriptors.map((one) => machine.descriptions[one?.description ?? -1]);
  const descriptions = own.map((one) =>
    copiesPipes && one !== undefined && "pipe" in one.object
      ? { ...one, object: { pipe: one.object.pipe + machine.pipes.length } }
      : one,
  );
  return {
    ...eachProcess(machine, (_, ordinal) =>
      ordinal === child ? { descriptors: descriptors.map((one, d) => one && { ...one, description: first + d }) } : {},
    ),
    descriptions: [...machine.descriptions, ...descriptions],
    pipes: copiesPipes ? [...machine.pipes, ...machine.pipes] : machine.pipes,
  };
};

const ownDescriptions = atFork(({ machine, child }) => withOwnDescriptions(machine, child, false));

/** Descriptions count their descriptors as if there had been no fork. */
const countsNoCopies = atFork(({ machine, before: { descriptions } }) => ({ ...machine, descriptions }));

const withLocks = (machine: Machine, owner: (old: number) => number | undefined): Machine => ({
  ...machine,
  files: machine.files.map((file) => ({
    ...file,
    locks: file.locks.flatMap((lock) => {
      const kept = owner(lock.owner);
      return kept === undefined ? [] : [{ ...lock, owner: kept }];
    }),
  })),
});

export const wrongDescriptors: Readonly<Record<string, Wrong>> = {
  D01: { does: "gives the child no descriptors", take: bornWith(() => ({ descriptors: [] })) },
  D02: { does: "gives the child descriptions of its own", take: ownDescriptions },
  D03: {
    does: "has one table for all processes",
    take: afterwards(["close", "open", "dup"], ({ taken: { machine }, process }) =>
      eachProcess(machine, () => ({ descriptors: machine.processes[process]?.descriptors ?? [] })),
    ),
  },
  D04: { does: "gives the child descriptions of its own", take: ownDescriptions },
  D05: {
    does: "closes marked descriptors at the fork",
    take: atFork(({ machine, child }) => closedWhere(machine, child, ({ cloexec }) => cloexec)),
  },
  D07: { does: "does not count the child's descriptors", take: countsNoCopies },
  D08: { does: "does not count the child's descriptors", take: countsNoCopies },
  D09: {
    does: "copies pipes",
    take: atFork(({ machine, child }) => withOwnDescriptions(machine, child, true)),
  },
  D10: {
    does: "closes everybody's descriptors when a process ends",
    take: atEnd((machine) => eachProcess(machine, () => ({ descriptors: [] }))),
  },
  K01: {
    does: "hands locks on to the child",
    take: atFork(({ machine, parent, child }) => withLocks(machine, (owner) => (owner === parent ? child : owner))),
  },
  K02: {
    does: "drops everybody's locks when one closes",
    take: afterwards(["close"], ({ taken: { machine } }) => withLocks(machine, () => undefined)),
  },
  K04: {
    does: "drops locks at exec",
    take: afterwards(["exec"], ({ taken: { machine }, process }) =>
      withLocks(machine, (owner) => (owner === process ? undefined : owner)),
    ),
  },
};

export const wrongSignals: Readonly<Record<string, Wrong>> = {
  G01: {
    does: "lets the child inherit pending signals",
    take: bornWith((_, { before, parent }) => ({ pending: before.processes[parent]?.pending ?? [] })),
  },
  G02: { does: "starts the child with an empty mask", take: threadWith(() => ({ mask: [] })) },
  G03: { does: "makes all actions default in the child", take: bornWith(() => ({ actions: new Map() })) },
  G04: {
    does: "runs the child's handlers on its parent's memory",
    take: bornWith((_, { before, parent }) => ({ actions: before.processes[parent]?.actions ?? new Map() })),
  },
  G06: {
    does: "sends a signal for a group to the sender alone",
    take: wrongly(["kill"], ({ before, next: { operation }, taken: { machine }, process }) =>
      operation.op === "kill" && operation.target === "own-group"
        ? {
            machine: eachProcess(machine, (one, ordinal) =>
              ordinal === process ? {} : { pending: before.processes[ordinal]?.pending ?? one.pending },
            ),
          }
        : {},
    ),
  },
  G07: {
    does: "gives the child no alternate stack",
    take: bornWith((_, { machine: { format } }) => ({ alternateStack: nullCapability(format) })),
  },
  G08: {
    does: "does not tell of a child's end",
    take: atEnd((machine) =>
      eachProcess(machine, ({ pending }) => ({ pending: pending.filter((signal) => signal !== 17) })),
    ),
  },
};

export const wrongTime: Readonly<Record<string, Wrong>> = {
  T01: {
    does: "lets the child inherit the alarm",
    take: bornWith((child, { before, parent }) => ({ alarm: before.processes[parent]?.alarm ?? child.alarm })),
  },
  T04: {
    does: "lets the child's times go on from its parent's",
    take: bornWith((_, { before, parent }) => {
      const { ran = false, childrenRan = false } = before.processes[parent] ?? {};
      return { ran, childrenRan };
    }),
  },
  T05: {
    does: "forgets the times of a child that was waited for",
    take: afterwards(["wait"], ({ taken: { machine } }) => eachProcess(machine, () => ({ childrenRan: false }))),
  },
};

/** In programs for a real kernel, what the generator knows of processes, files and memory is what the machine does. */
import { describe, expect, test } from "vitest";
import { Model } from "../../../conformance/generate/model.js";
import type { GeneratedProgram } from "../../../conformance/generate/options.js";
import type { Descriptor, Lock } from "../../../conformance/generate/model/files.js";
import type { Life, Thread } from "../../../conformance/generate/model/life.js";
import { isPointer, type Value } from "../../../conformance/generate/model/memory.js";
import { formats, type Capability } from "../../../spec/cheri/index.js";
import { initial, regionBase, segmentRoot, type Machine, type Process } from "../../../spec/sfork/machine.js";
import type { Step } from "../../../spec/sfork/operation.js";
import { step } from "../../../spec/sfork/step.js";
import { programs } from "./support.js";

/** Of a descriptor, whichever side knows it. */
const modelled = (descriptor: Descriptor | undefined) => {
  if (descriptor === undefined) return undefined;
  const { object, reads, writes, append, nonblock, offset, references } = descriptor.description;
  const flags = { read: reads, write: writes, append, nonblock };
  const of = object.kind === "file" ? { file: object.path, size: object.size, offset } : { held: object.held };
  return { cloexec: descriptor.cloexec, flags, references, ...of };
};

const described = (machine: Machine, descriptor: Process["descriptors"][number]) => {
  const description = descriptor === undefined ? undefined : machine.descriptions[descriptor.description];
  if (descriptor === undefined || description === undefined) return undefined;
  const { object, offset, references } = description;
  const has = (flag: (typeof description.flags)[number]): boolean => description.flags.includes(flag);
  const flags = { read: has("read"), write: has("write"), append: has("append"), nonblock: has("nonblock") };
  const file = "file" in object ? machine.files[object.file] : undefined;
  const pipe = "pipe" in object ? machine.pipes[object.pipe] : undefined;
  const of = file === undefined ? { held: pipe?.bytes.length } : { file: file.path, size: file.bytes.length, offset };
  return { cloexec: descriptor.cloexec, flags, references, ...of };
};

const table = <T>(list: readonly (T | undefined)[]): readonly (T | undefined)[] =>
  Array.from({ length: 16 }, (_, d) => list[d]);

const byStart = (locks: readonly Lock[]): readonly Lock[] =>
  locks.toSorted((a, b) => a.start - b.start || a.owner - b.owner);

/** What both sides know of a process; of one that has ended, whether it was waited for. */
const lifeOf = ({ memory, ...life }: Life, pages: number) =>
  life.state === "live"
    ? {
        ...{ parent: life.parent, group: life.group, session: life.session, executed: life.executed },
        ...{ stopped: life.stopped, pending: life.pending, directory: life.directory },
        limits: { nofile: life.nofile, nproc: life.nproc },
        handled: [...life.actions.keys()].toSorted((a, b) => a - b),
        descriptors: table(life.descriptors.map(modelled)),
        pages: Array.from({ length: pages }, (_, index) => memory?.page(index)),
      }
    : life.state;

const processOf = (machine: Machine, process: Process) =>
  process.state.kind === "live"
    ? {
        ...{ parent: process.parent, group: process.group, session: process.session, executed: process.executed },
        ...{ stopped: process.stopped, pending: process.pending, directory: process.directory },
        limits: process.limits,
        handled: [...process.actions.keys()].toSorted((a, b) => a - b),
        descriptors: table(process.descriptors.map((one) => described(machine, one))),
        pages: Array.from({ length: machine.config.pages }, (_, index) => {
          const entry = machine.regions[process.slot]?.[index];
          return entry && { protection: entry.protection, ...entry.advice };
        }),
      }
    : process.state.kind;

/** What a register holds, as the generator puts it. */
const holds = (machine: Machine, thread: number, value: Value | undefined, { tag, base, top, address }: Capability) => {
  if (!isPointer(value)) return value === "number" ? !tag : true;
  const { slot } = machine.processes[machine.threads[thread]?.process ?? 0] ?? { slot: 0 };
  const { segment } = value;
  const start = segment === undefined ? regionBase(machine.config, slot) : segmentRoot(machine.config, segment).base;
  const isThere = address - start === BigInt(value.address);
  const isBounded = base - start === BigInt(value.base) && top - start === BigInt(value.top);
  return value.live ? tag && isThere && isBounded : !tag;
};

const wrongRegisters = (machine: Machine, thread: Thread | undefined, ordinal: number): readonly number[] =>
  (machine.threads[ordinal]?.registers ?? []).flatMap((one, index) =>
    holds(machine, ordinal, thread?.registers?.[index], one) ? [] : [index],
  );

/** Both sides of everything. */
const sides = (model: Model, machine: Machine) => {
  const live = machine.threads.flatMap((thread, ordinal) => (thread.live ? [ordinal] : []));
  return {
    expected: {
      processes: machine.processes.map((process) => processOf(machine, process)),
      files: machine.files.map(({ path, bytes, locks }) => ({ path, size: bytes.length, locks: byStart(locks) })),
      threads: live.map((ordinal) => ({ ordinal, mask: machine.threads[ordinal]?.mask, wrong: [] })),
    },
    actual: {
      processes: model.lives.map((life) => lifeOf(life, machine.config.pages)),
      files: model.files.list.map(({ path, size, locks }) => ({ path, size, locks: byStart(locks) })),
      threads: model.living
        .flatMap(({ threads }) => threads)
        .toSorted((a, b) => a - b)
        .map((ordinal) => {
          const thread = model.threadAt(ordinal);
          return { ordinal, mask: thread?.mask, wrong: wrongRegisters(machine, thread, ordinal) };
        }),
    },
  };
};

const modelOf = ({ config }: GeneratedProgram): Model => {
  const { granule, addressBits } = formats[config.format];
  return new Model(config, Number(addressBits) / 8, Number(granule));
};

/** Run a program on both sides; what they make of it at the end of process 0 is of no interest. */
const run = (program: GeneratedProgram, change: (next: Step) => Step = (next) => next) => {
  const model = modelOf(program);
  let machine = initial(program.config);
  for (const next of program.steps) {
    machine = step(machine, next).machine;
    const { actor, operation } = change(next);
    model.take(actor, operation);
    if (machine.processes[0]?.state.kind !== "live") break;
    const { expected, actual } = sides(model, machine);
    expect(actual).toEqual(expected);
  }
};

describe("what the generator knows", () => {
  const list = programs("model", 150, { profile: "posix" });

  test("is what the machine does", () => {
    for (const program of list) run(program);
  }, 300_000);

  test("is compared: a step that only one side takes is noticed", () => {
    const other: Partial<Record<string, Step["operation"]>> = {
      cincoffset: { op: "cmove", cd: 8, cs1: 0 },
      sigmask: { op: "sigmask", signals: [3] },
      mprotect: { op: "yield" },
      pipe: { op: "yield" },
      setpgid: { op: "setsid" },
    };
    for (const [op, operation] of Object.entries(other)) {
      const change = (next: Step): Step =>
        next.operation.op === op && operation !== undefined ? { ...next, operation } : next;
      const noticed = list.slice(0, 60).filter((program) => {
        try {
          run(program, change);
          return false;
        } catch {
          return true;
        }
      });
      expect([op, noticed.length > 5]).toEqual([op, true]);
    }
  }, 300_000);
});

/** A process of the optimised implementation whose whole region is touched, one granule in eight a pointer; and its children. */
import { place } from "../impl/fast/image.js";
import { start } from "../impl/fast/processes.js";
import type { Machine, Process } from "../impl/fast/machine.js";
import { CHILD, NONE } from "../impl/fast/outcome.js";
import { encode, take } from "../impl/fast/step.js";
import type { Program } from "../impl/fast/program.js";
import { completeConfig, type StrategyName } from "../spec/sfork/config.js";
import type { Operation } from "../spec/sfork/operation.js";

/** Bytes of a page, as on the machine beside. */
export const page = 4096;

/** Bytes of a granule in the format that is measured. */
const granule = 16;

/** Of so many granules one holds a pointer. */
const pointerEvery = 8;

/** A machine whose process 0 has `pages` pages that were written. */
export const touched = (strategy: StrategyName, pages: number): Machine => {
  const config = completeConfig({
    ...{ format: "cheri128-v9", strategy, page, pages },
    ...{ frames: 2 * pages + 16, processes: 4, slots: 4 },
  });
  if ("illegal" in config) throw new RangeError(`a region of ${pages} pages: ${config.illegal}`);
  const machine = start(config);
  const register = { value: 0n, area: undefined };
  place(machine, {
    areas: [{ first: 0, count: pages, protection: { read: true, write: true, execute: false } }],
    pages: Uint32Array.from({ length: pages }, (_, index) => index),
    read: (nth, words, areas) => {
      areas.fill(0);
      words.fill(0);
      for (let at = 0; at < areas.length; at += 1) words[at * 2] = at + 1;
      for (let at = 0; at < areas.length; at += pointerEvery) {
        areas[at] = 1;
        words[at * 2] = nth * page + at * granule;
      }
    },
    threads: [[register, { value: 0n, area: 0 }]],
  });
  return machine;
};

/** Whoever has this number is, of two threads, the younger one. */
const younger = 1_000_001;

export const childWrites = (machine: Machine, pages: number): Program =>
  encode(
    machine,
    Array.from({ length: pages }, (_, index) => {
      const n = { immediate: BigInt(index * page + 8) };
      return { actor: younger, operation: { op: "store.b", value: { immediate: 7n }, n, cs1: 1 } };
    }),
  );

const takeOne = (machine: Machine, actor: number, operation: Operation): void => {
  take(machine, encode(machine, [{ actor, operation }]), 0);
};

/** Forks process 0; milliseconds, and the child. Throws where that fails. */
export const forkOnce = (machine: Machine): { readonly took: number; readonly child: Process } => {
  const program = encode(machine, [{ actor: 0, operation: { op: "fork", cd: 7 } }]);
  const started = performance.now();
  take(machine, program, 0);
  const took = performance.now() - started;
  const child = machine.processes[machine.first];
  if (machine.kind !== CHILD || child === undefined) throw new Error(`the fork failed: outcome ${machine.kind}`);
  return { took, child };
};

/** Takes every step of a program; milliseconds. Throws where the last one observes something. */
export const takeAll = (machine: Machine, program: Program): number => {
  const started = performance.now();
  for (let index = 0; index < program.steps.length; index += 1) take(machine, program, index);
  const took = performance.now() - started;
  if (machine.kind !== NONE) throw new Error(`a step failed: outcome ${machine.kind}`);
  return took;
};

/** The child ends, and the parent has heard of it. */
export const endChild = (machine: Machine): void => {
  takeOne(machine, younger, { op: "exit", n: { immediate: 0n } });
  takeOne(machine, 0, { op: "wait", cd: 8, whom: undefined });
};

/** Bytes that a fork adds, counted in the arrays: a row of the page table, and stores with their tags that were copied. */
export const bytesOf = (machine: Machine): number =>
  (machine.storeCount - machine.freeStores.length) * (machine.page + 4 * machine.tagWords) +
  (machine.rowCount - machine.freeRows.length) *
    machine.pages *
    (machine.entries.BYTES_PER_ELEMENT + machine.flags.BYTES_PER_ELEMENT) +
  machine.usedFrames * 3 * machine.frameStore.BYTES_PER_ELEMENT;

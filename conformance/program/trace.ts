/** A program on the specification, step by step: who took each step, what was observed, and what it cost. */
import { left, right, type Either } from "fp-ts/lib/Either.js";
import type { Implementation } from "../../impl/implementation.js";
import { completeConfig, regionSize, type Config, type StrategyName } from "../../spec/sfork/config.js";
import { initial, noCounters, type Counters, type Machine } from "../../spec/sfork/machine.js";
import type { Observation } from "../../spec/sfork/observation.js";
import { step } from "../../spec/sfork/step.js";
import { canonical, type CanonicalObservation, type Expectation } from "../canon.js";
import { InputError } from "../errors.js";
import { meetsExpectation } from "./expectation-codec.js";
import type { ProgramSource, ProgramStep } from "./program.js";

/** What a step cost the pages of one process. */
export interface Cost {
  readonly process: number;
  readonly counters: Counters;
}

/** The thread that took a step. */
export interface Actor {
  /** Creation ordinals over the whole machine. */
  readonly thread: number;
  readonly process: number;
  /** Creation ordinal within the process. */
  readonly threadOfProcess: number;
  /** The step named another thread, which is dead or was never made. */
  readonly reduced: boolean;
}

export interface TracedStep {
  readonly index: number;
  readonly step: ProgramStep;
  /** Undefined where nobody could take the step. */
  readonly actor: Actor | undefined;
  readonly observation: Observation;
  /** Those that the thread took before its step. */
  readonly signals: readonly number[];
  readonly canonical: CanonicalObservation;
  /** Processes whose counters the step changed. */
  readonly costs: readonly Cost[];
  /** What was expected, where that is not what was observed. */
  readonly mismatch: Expectation | undefined;
  /** After the step. */
  readonly machine: Machine;
}

const minus = (after: Counters, before: Counters): Counters => ({
  faults: after.faults - before.faults,
  copies: after.copies - before.copies,
  relocations: after.relocations - before.relocations,
  pageTableWrites: after.pageTableWrites - before.pageTableWrites,
});

const plus = (a: Counters, b: Counters): Counters => ({
  faults: a.faults + b.faults,
  copies: a.copies + b.copies,
  relocations: a.relocations + b.relocations,
  pageTableWrites: a.pageTableWrites + b.pageTableWrites,
});

/** The counters of all processes together. */
export const totals = (machine: Machine): Counters =>
  machine.processes.map(({ counters }) => counters).reduce(plus, noCounters);

const costsOf = (before: Machine, after: Machine): readonly Cost[] =>
  after.processes.flatMap(({ counters }, process): readonly Cost[] => {
    const earlier = before.processes[process]?.counters ?? noCounters;
    return counters === earlier ? [] : [{ process, counters: minus(counters, earlier) }];
  });

const actorOf = (machine: Machine, thread: number | undefined, named: number): Actor | undefined => {
  const process = thread === undefined ? undefined : machine.threads[thread]?.process;
  if (thread === undefined || process === undefined) return undefined;
  const before = machine.threads.slice(0, thread).filter((other) => other.process === process);
  return { thread, process, threadOfProcess: before.length, reduced: thread !== named };
};

/** `P1.t0`. */
export const printActor = ({ process, threadOfProcess }: Actor): string => `P${process}.t${threadOfProcess}`;

/**
 * Take the steps one after the other, from the start. An implementation, at its start, may take them beside the
 * specification: then what it observes is told, and who it says took the step.
 */
export function* trace(
  config: Config,
  steps: readonly ProgramStep[],
  implementation?: Implementation,
): Generator<TracedStep, void, void> {
  let machine = initial(config);
  for (const [index, next] of steps.entries()) {
    const taken = step(machine, next);
    implementation?.step(next);
    const { observation, signals, process, thread } = implementation?.observed() ?? taken;
    const seen = canonical(observation, taken.machine, process, signals);
    yield {
      index,
      step: next,
      actor: actorOf(taken.machine, thread, next.actor),
      observation,
      signals,
      canonical: seen,
      costs: costsOf(machine, taken.machine),
      mismatch: next.expect === undefined || meetsExpectation(next.expect, seen) ? undefined : next.expect,
      machine: taken.machine,
    };
    machine = taken.machine;
  }
}

/** The specification copies bytes as one number; beyond this that takes minutes, and then more memory than there is. */
export const largestRegion = 1n << 26n;

/** The program's configuration with everything that it leaves out; an illegal one is told with its line. */
export const configOf = (
  { program, lineOf }: ProgramSource,
  file: string,
  strategy?: StrategyName,
): Either<InputError, Config> => {
  const config = completeConfig({ ...program.config, ...(strategy === undefined ? {} : { strategy }) });
  const refuse = (message: string): Either<InputError, never> => left(new InputError(file, lineOf("config"), message));
  if ("illegal" in config) return refuse(`the configuration is illegal, CFG-1 demands: ${config.illegal}`);
  if (regionSize(config) > largestRegion) return refuse("a region is larger than 64 MiB; lower page or pages");
  return right(config);
};

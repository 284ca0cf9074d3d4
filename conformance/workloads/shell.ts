/** A shell that runs pipelines of two programs, each of which replaces its image. */
import type { Step } from "../../spec/sfork/operation.js";
import { randomOf } from "../generate/random.js";
import { makeGraph, type Graph } from "./graph.js";
import { data, object, thread } from "./steps.js";
import { configFor, page, type Workload, type WorkloadOptions } from "./workload.js";

const rounds = 50;

const message = 64;

const graphOf = (size: number): Graph => {
  const bytes = 128;
  return { at: 0, nodes: Math.floor((size - page) / bytes), bytes, pointers: 2 };
};

function* steps({ size, seed }: WorkloadOptions): Generator<Step, void, void> {
  const shell = thread(0);
  yield* makeGraph(graphOf(size), randomOf(seed, 0), 8);
  yield* object(9, Math.floor(size / page) * page - page, page);
  for (let round = 0; round < rounds; round += 1) {
    const [writer, reader] = [1 + 2 * round, 2 + 2 * round];
    const [from, to] = [thread(writer), thread(reader)];
    // What the shell remembers of a job.
    yield shell.store(round, 0, 9);
    yield shell.pipe();
    yield shell.fork();
    yield from.dup2(1, 4);
    yield from.exec();
    yield from.memset(data, 1 + (round % 250), message);
    yield from.write(4, data, message);
    yield shell.fork();
    yield to.dup2(0, 5);
    yield to.exec();
    yield shell.close(0);
    yield shell.close(1);
    yield to.read(5, data, message);
    yield from.exit();
    yield to.exit();
    yield shell.wait();
    yield shell.wait();
  }
}

export const shellPipeline: Workload = {
  name: "shell-pipeline",
  summary: "a shell runs pipelines: fork, pipe, exec, wait",
  size: 1 << 20,
  plan: (options) => ({
    config: configFor(options.size, 3),
    steps: () => steps(options),
    notes: [
      `the shell's heap holds nodes of 128 bytes with two pointers; ${rounds} pipelines of two programs, whose images are empty`,
    ],
  }),
};

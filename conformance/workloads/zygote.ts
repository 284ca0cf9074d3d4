/** An interpreter that was warmed up, and forks for each request: functions as a service. */
import type { Step } from "../../spec/sfork/operation.js";
import { randomOf } from "../generate/random.js";
import { makeGraph, walk, type Graph } from "./graph.js";
import { object, thread } from "./steps.js";
import { configFor, page, type Workload, type WorkloadOptions } from "./workload.js";

const [root, arena, node] = [8, 11, 12];

const [requests, hops, arenaPages] = [20, 200, 4];

/** Objects of an interpreter: two pointers and a count of references, which every visit changes, as CPython does. */
const graphOf = (size: number): Graph => {
  const bytes = 64;
  return { at: 0, nodes: Math.floor((size - arenaPages * page) / bytes), bytes, pointers: 2 };
};

function* steps({ size, seed }: WorkloadOptions): Generator<Step, void, void> {
  const random = randomOf(seed, 0);
  const zygote = thread(0);
  const graph = graphOf(size);
  yield* makeGraph(graph, random, root);
  yield* object(arena, Math.floor(size / page) * page - arenaPages * page, arenaPages * page);
  yield zygote.open("/d/out", "write", "create");
  for (let actor = 1; actor <= requests; actor += 1) {
    const own = thread(actor);
    yield zygote.fork();
    yield* walk(graph, { actor, from: root, to: node, hops }, random, () => [own.store(actor, 32, node)]);
    // What the function makes for itself.
    for (let at = 0; at < arenaPages * page; at += 256) {
      yield own.storecap(node, at, arena);
      yield own.store(actor, at + 16, arena);
    }
    yield own.rewind(0);
    yield own.cincoffset(arena, arena, 16);
    yield own.write(0, arena, 16);
    yield own.exit();
    yield zygote.wait();
  }
}

export const faasZygote: Workload = {
  name: "faas-zygote",
  summary: "a warmed interpreter forks for each request; the child lives briefly",
  size: 8 << 20,
  plan: (options) => ({
    config: configFor(options.size, 2),
    steps: () => steps(options),
    notes: [
      `objects of 64 bytes with two pointers; ${requests} requests visit ${hops} each, change their count of references, and fill ${arenaPages} pages`,
    ],
  }),
};

/** Servers that fork: workers that share what they listen to, and a process for each connection. */
import type { Step } from "../../spec/sfork/operation.js";
import { randomOf, type Random } from "../generate/random.js";
import { makeGraph, walk, type Graph } from "./graph.js";
import { object, thread } from "./steps.js";
import { configFor, page, type Plan, type Workload, type WorkloadOptions } from "./workload.js";

// Registers: the first node of the configuration; the buffer; a node.
const [root, buffer, node] = [8, 11, 12];

const request = 64;

/** Configuration and routes: nodes of 128 bytes, two pointers each, which is one word in four. */
const graphOf = (size: number, kept: number): Graph => {
  const bytes = 128;
  return { at: 0, nodes: Math.max(2, Math.floor((size - kept * page) / bytes)), bytes, pointers: 2 };
};

const planOf = (
  { size }: WorkloadOptions,
  processes: number,
  steps: Plan["steps"],
  notes: readonly string[],
): Plan => ({ config: configFor(size, processes), steps, notes });

/** Reads a request, looks some nodes up, and answers from the data of the last one. */
function* serve(graph: Graph, actor: number, from: number, to: number, random: Random) {
  const { read, store, write, cincoffset } = thread(actor);
  yield read(from, buffer, request);
  yield* walk(graph, { actor, from: root, to: node, hops: 10 }, random);
  yield store(1, request, buffer);
  yield cincoffset(node, node, 32);
  yield write(to, node, request);
}

const [workers, poolPages, requests] = [4, 4, 50];

function* nginx({ size, seed }: WorkloadOptions): Generator<Step, void, void> {
  const random = randomOf(seed, 0);
  const master = thread(0);
  const graph = graphOf(size, poolPages + 1);
  const end = Math.floor(size / page) * page - (poolPages + 1) * page;
  yield* makeGraph(graph, random, root);
  yield* object(buffer, end, poolPages * page);
  yield* object(13, end + poolPages * page, page);
  // 0 and 1 are the two ends of what the workers listen to, 2 is where they write answers.
  yield master.pipe();
  yield master.open("/d/out", "write", "create");
  for (let worker = 1; worker <= workers; worker += 1) yield master.fork();
  for (let turn = 0; turn < workers * requests; turn += 1) {
    const actor = 1 + (turn % workers);
    yield master.memset(13, turn % 251, request);
    yield master.write(1, 13, request);
    // A pool for each request: a pointer to the place in the configuration, and what was allocated.
    const { storecap, store, rewind } = thread(actor);
    const place = (turn % poolPages) * page + 256;
    yield storecap(root, place, buffer);
    yield store(turn, place + 16, buffer);
    yield rewind(2);
    yield* serve(graph, actor, 0, 2, random);
  }
  for (let actor = 1; actor <= workers; actor += 1) {
    yield thread(actor).exit();
    yield master.wait();
  }
}

export const nginxWorkers: Workload = {
  name: "nginx-workers",
  summary: "a master forks four workers, which share what they listen to and serve from heaps of their own",
  size: 4 << 20,
  plan: (options) =>
    planOf(options, workers + 1, () => nginx(options), [
      `configuration of nodes of 128 bytes with two pointers; ${workers} workers serve ${requests} requests each, with a pool of ${poolPages} pages`,
    ]),
};

const connections = 100;

function* http({ size, seed }: WorkloadOptions): Generator<Step, void, void> {
  const random = randomOf(seed, 0);
  const parent = thread(0);
  const graph = graphOf(size, 1);
  yield* makeGraph(graph, random, root);
  yield* object(buffer, Math.floor(size / page) * page - page, page);
  for (let actor = 1; actor <= connections; actor += 1) {
    // 0 and 1 lead to the child, 2 and 3 back.
    yield parent.pipe();
    yield parent.pipe();
    yield parent.store(actor, 0, buffer);
    yield parent.write(1, buffer, request);
    yield parent.fork();
    yield* serve(graph, actor, 0, 3, random);
    yield thread(actor).exit();
    yield parent.read(2, buffer, request);
    yield parent.wait();
    for (const d of [0, 1, 2, 3]) yield parent.close(d);
  }
}

export const httpServer: Workload = {
  name: "http-server",
  summary: "a process for each connection, its answer back through a pipe",
  size: 2 << 20,
  plan: (options) =>
    planOf(options, 2, () => http(options), [
      `routes of nodes of 128 bytes with two pointers; ${connections} connections, one after the other`,
    ]),
};

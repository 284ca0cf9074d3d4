/** A heap of nodes that point to each other, and walks over it. */
import type { Step } from "../../spec/sfork/operation.js";
import type { Random } from "../generate/random.js";
import { object, thread } from "./steps.js";
import { granule } from "./workload.js";

export interface Graph {
  /** Distance of the first node from the start of the data part. */
  readonly at: number;
  readonly nodes: number;
  /** Bytes of a node: pointers first, then data. */
  readonly bytes: number;
  readonly pointers: number;
}

/** A node, a node that it points to. */
const [own, other] = [9, 10];

/** Nodes in a circle, which the first pointers make; the others lead anywhere. The register `root` gets the first node. */
export function* makeGraph(graph: Graph, random: Random, root: number): Generator<Step, void, void> {
  const { at, nodes, bytes, pointers } = graph;
  const parent = thread(0);
  for (let index = 0; index < nodes; index += 1) {
    yield* object(own, at + index * bytes, bytes);
    for (let pointer = 0; pointer < pointers; pointer += 1) {
      const target = pointer === 0 ? (index + 1) % nodes : random.below(nodes);
      yield* object(other, at + target * bytes, bytes);
      yield parent.storecap(other, pointer * granule, own);
    }
    for (let byte = pointers * granule; byte < bytes; byte += 32) yield parent.store(index, byte, own);
  }
  yield* object(root, at, bytes);
}

/** A thread goes from node to node; the register `to` holds the one it is at, and gets `from` first. */
export function* walk(
  { pointers }: Graph,
  {
    actor,
    from,
    to,
    hops,
  }: { readonly actor: number; readonly from: number; readonly to: number; readonly hops: number },
  random: Random,
  visit: () => Iterable<Step> = () => [],
): Generator<Step, void, void> {
  const { cmove, loadcap } = thread(actor);
  yield cmove(to, from);
  for (let hop = 0; hop < hops; hop += 1) {
    yield loadcap(to, random.below(pointers) * granule, to);
    yield* visit();
  }
}

/** A message from parent to child: as a capability in one address space, and as a copy across two. */
import type { StrategyName } from "../../spec/sfork/config.js";
import type { Step } from "../../spec/sfork/operation.js";
import { object, thread } from "../workloads/steps.js";
import { configFor, page, type Plan } from "../workloads/workload.js";
import { callCycles, microseconds, pageCycles, plus, type Costs } from "./costs.js";
import { measure } from "./measure.js";

export interface IpcRow {
  readonly how: "capability" | "copy";
  readonly strategy: StrategyName;
  /** Bytes of a message. */
  readonly size: number;
  /** Of one message, once what both write to is their own. */
  readonly copied: number;
  readonly calls: number;
  readonly switches: number;
  readonly faults: number;
  readonly microseconds: number;
}

/** One message comes before these: it pays for the first writes after the fork. */
const messages = 16;
const sizes = [64, 4096, 65_536] as const;

const [buffer, message] = [8, 9];

/** The parent fills its buffer and tells the child of it, which reads the first word and the last. */
function* rounds(size: number, byCapability: boolean, count: number): Generator<Step, void, void> {
  const [parent, child] = [thread(0), thread(1)];
  yield* object(buffer, 0, size);
  if (byCapability) yield parent.channel();
  else yield parent.pipe();
  yield parent.fork();
  for (let turn = 0; turn < count; turn += 1) {
    yield parent.memset(buffer, turn, size);
    yield byCapability ? parent.sendcap(buffer) : parent.write(1, buffer, size);
    yield byCapability ? child.recvcap(message) : child.read(0, buffer, size);
    const from = byCapability ? message : buffer;
    yield child.load(10, 0, from);
    yield child.load(10, size - 8, from);
  }
}

/** What the parent and the child did, with so many messages. */
const countOf = async (strategy: StrategyName, how: IpcRow["how"], size: number, count: number) => {
  const plan: Plan = {
    config: configFor(Math.max(size, page), 2, { pipe: Math.max(...sizes) }),
    steps: () => rounds(size, how === "capability", count),
    notes: [],
  };
  const { refused, firstRefused, ...measured } = await measure(plan, strategy);
  if (refused > 0) throw new RangeError(`a message was refused: ${firstRefused ?? ""}`);
  return measured;
};

const rowOf = async (strategy: StrategyName, how: IpcRow["how"], size: number, costs: Costs): Promise<IpcRow> => {
  const first = await countOf(strategy, how, size, 1);
  const all = await countOf(strategy, how, size, 1 + messages);
  const counted = plus(plus(all.parent, all.children), plus(first.parent, first.children), -1);
  const [calls, switches] = [all.calls - first.calls, all.switches - first.switches];
  const copied = all.transferred - first.transferred;
  const cycles =
    pageCycles(costs, strategy, page, counted) +
    calls * callCycles(costs, strategy) +
    switches * costs.spaceSwitch +
    copied * costs.copyByte;
  return {
    ...{ how, strategy, size, copied: copied / messages, calls: calls / messages, switches: switches / messages },
    faults: counted.faults / messages,
    microseconds: microseconds(costs, cycles) / messages,
  };
};

/** Rows of both kinds for each size; a copy costs the kernel two: into the pipe and out of it. */
export const compareIpc = async (costs: Costs): Promise<readonly IpcRow[]> => {
  const rows: IpcRow[] = [];
  for (const size of sizes) {
    rows.push(await rowOf("copa", "capability", size, costs), await rowOf("multi-as-cow", "copy", size, costs));
  }
  return rows;
};

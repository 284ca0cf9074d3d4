/** One step: who takes it, what signals it takes first, and which handler acts (EXEC-1). */
import type { OperationName, Step } from "../../spec/sfork/operation.js";
import type { HandlerOf, Handlers } from "./handler.js";
import type { Machine, Thread } from "./machine.js";
import { attributeHandlers } from "./operations-attribute.js";
import { capabilityHandlers } from "./operations-capability.js";
import { channelHandlers } from "./operations-channel.js";
import { fileHandlers } from "./operations-file.js";
import { mappingHandlers } from "./operations-mapping.js";
import { memoryHandlers } from "./operations-memory.js";
import { processHandlers } from "./operations-process.js";
import { sealingHandlers } from "./operations-sealing.js";
import { signalHandlers, takeSignals } from "./operations-signal.js";
import { transferHandlers } from "./operations-transfer.js";
import { HALTED, NO_ACTOR, UNSUPPORTED } from "./outcome.js";
import { ACTOR, encodeStep, OPCODE, STEP_SIZE, type Program } from "./program.js";

/** A name without a handler does not compile. */
const handlers: Handlers = {
  ...capabilityHandlers,
  ...sealingHandlers,
  ...memoryHandlers,
  ...mappingHandlers,
  ...processHandlers,
  ...fileHandlers,
  ...transferHandlers,
  ...attributeHandlers,
  ...signalHandlers,
  ...channelHandlers,
};

const names = Object.keys(handlers) as readonly OperationName[];
const opcodes: ReadonlyMap<string, number> = new Map(names.map((name, opcode) => [name, opcode]));

/** By opcode. The operands are those of the operation's own name, which the record's type says per name. */
const byOpcode = names.map((name) => handlers[name] as HandlerOf<"yield">);

/** Operations that not every format, or not every strategy, has. */
const withOrdinaryOtypes: ReadonlySet<string> = new Set(["cseal", "cunseal", "ccseal", "ccopytype", "cinvoke"]);
const withWideAddresses: ReadonlySet<string> = new Set(["load.wu", "load.d", "store.d"]);
const withOneSpace: ReadonlySet<string> = new Set(["channel", "sendcap", "recvcap"]);

const unsupported = -1;

const opcodeOf = ({ facts, wide, strategy }: Machine, name: OperationName): number => {
  const isMissing =
    (withOrdinaryOtypes.has(name) && !facts.ordinaryOtypes) ||
    (withWideAddresses.has(name) && !wide) ||
    (withOneSpace.has(name) && strategy.separate);
  return isMissing ? unsupported : (opcodes.get(name) ?? unsupported);
};

/** A program in the form in which a machine takes it. */
export const encode = (machine: Machine, steps: readonly Step[]): Program => {
  const code = new Int32Array(steps.length * STEP_SIZE);
  steps.forEach((step, index) => {
    encodeStep(machine, code, index * STEP_SIZE, step, opcodeOf);
  });
  return { code, steps };
};

/** The thread of that ordinal; one that is dead or was never made is taken modulo the live ones. */
function actorOf({ threads, liveThreads }: Machine, actor: number): Thread | undefined {
  return threads[actor] ?? liveThreads[actor % liveThreads.length];
}

/** Takes step number `index` of a program. */
export function take(machine: Machine, { code, steps }: Program, index: number): void {
  const at = index * STEP_SIZE;
  if (machine.taken.length > 0) machine.taken.length = 0;
  machine.actor = -1;
  machine.actorProcess = -1;
  if (machine.processes[0]?.state !== "live") {
    machine.kind = HALTED;
    return;
  }
  const thread = actorOf(machine, code[at + ACTOR] ?? 0);
  if (thread === undefined) {
    machine.kind = NO_ACTOR;
    return;
  }
  machine.thread = thread;
  machine.process = thread.process;
  machine.space = thread.process.slot;
  machine.actor = thread.ordinal;
  machine.actorProcess = thread.process.ordinal;
  if ((thread.process.pending !== 0 || thread.process.stopped) && !takeSignals(machine)) return;
  const opcode = code[at + OPCODE] ?? unsupported;
  const operation = steps[index]?.operation;
  if (opcode < 0 || operation === undefined) machine.kind = UNSUPPORTED;
  else byOpcode[opcode]?.(machine, code, at, operation);
}

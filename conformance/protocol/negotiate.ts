/** What is generated for an implementation: programs of what it declares, and of nothing else. */
import type { FormatName } from "../../spec/cheri/index.js";
import type { Config, StrategyName } from "../../spec/sfork/config.js";
import { initial, type Machine } from "../../spec/sfork/machine.js";
import type { Operation, OperationName, Step } from "../../spec/sfork/operation.js";
import { step as takeStep, type Taken } from "../../spec/sfork/step.js";
import type { GeometryLimits } from "../generate/options.js";
import { choicesOf } from "../program/operation-codec.js";
import type { Hello, Run } from "./messages.js";
import { resolveStep, type ResolvedStep } from "./resolve.js";

/** The part of a hello that says which programs there are. */
export interface Declaration {
  readonly formats: readonly FormatName[];
  readonly strategies: readonly StrategyName[];
  readonly operations: ReadonlySet<OperationName>;
  readonly limits: GeometryLimits;
}

const isPowerOfTwo = (size: number): boolean => Number.isInteger(Math.log2(size));

/** What cannot be asked of anybody; undefined where nothing is wrong. */
const wrongIn = ({ formats, strategies, operations, limits = {} }: Hello): string | undefined => {
  const empty = Object.entries({ formats, strategies, operations }).find(([, list]) => list.length === 0);
  if (empty !== undefined) return `no ${empty[0]}; name some`;
  const { page, pages = Infinity, processes = Infinity } = limits;
  if (page?.length === 0) return "limits.page is empty; give a size, or leave it out";
  const size = page?.find((one) => one < 256 || one > 65_536 || !isPowerOfTwo(one));
  if (size !== undefined) return `limits.page: ${size} is no page size; sizes are powers of two from 256 to 65536`;
  if (pages < 4) return `limits.pages: a region has at least 4 pages`;
  return processes < 1 ? "limits.processes: there is at least one process" : undefined;
};

/** What a hello declares, or what is wrong with it. */
export const declarationOf = (hello: Hello): Declaration | { readonly wrong: string } => {
  const wrong = wrongIn(hello);
  if (wrong !== undefined) return { wrong };
  const { formats, strategies, operations, limits = {} } = hello;
  return { formats, strategies, operations: new Set(operations), limits };
};

/** A step without what was chosen in it: that is up to who takes it. */
const unchosen = ({ actor, operation }: Step): Step => {
  const choices = choicesOf(operation.op);
  if (choices.length === 0) return { actor, operation };
  const kept = Object.entries(operation).filter(([name]) => !choices.includes(name));
  // Choices are optional.
  return { actor, operation: Object.fromEntries(kept) as unknown as Operation };
};

/** What the specification makes of a program by itself, when its steps are resolved. */
export interface Rehearsal {
  readonly start: Machine;
  /** One for each step that is sent. */
  readonly taken: readonly Taken[];
  readonly steps: readonly ResolvedStep[];
}

/** The steps of a program as they are sent: up to where nobody lives that could take the next. */
export const rehearse = (config: Config, steps: readonly Step[]): Rehearsal => {
  const start = initial(config);
  const [list, taken]: [ResolvedStep[], Taken[]] = [[], []];
  let machine = start;
  for (const step of steps.map(unchosen)) {
    const one = resolveStep(machine, step);
    // Nobody lives any more; nobody will.
    if (one === undefined) break;
    list.push(one);
    const after = takeStep(machine, { actor: one.thread, operation: one.operation });
    taken.push(after);
    machine = after.machine;
  }
  return { start, taken, steps: list };
};

export const runOf = (id: number, config: Config, steps: readonly Step[], view = false): Run => ({
  type: "run",
  id,
  config,
  steps: rehearse(config, steps).steps,
  view,
});

/** Of what is asked for, what is declared; or that nothing is left of it. */
export const allowedOf = (
  asked: { readonly formats: readonly FormatName[]; readonly strategies: readonly StrategyName[] },
  { formats, strategies, operations, limits }: Declaration,
): Declaration | { readonly wrong: string } => {
  const left = {
    formats: asked.formats.filter((name) => formats.includes(name)),
    strategies: asked.strategies.filter((name) => strategies.includes(name)),
  };
  if (left.formats.length === 0) return { wrong: `it has none of these formats; it declares ${formats.join(", ")}` };
  if (left.strategies.length === 0) {
    return { wrong: `it has none of these strategies; it declares ${strategies.join(", ")}` };
  }
  return { ...left, operations, limits };
};

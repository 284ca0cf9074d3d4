/** A fork of an image under each strategy: what the child's pointers mean, what it cost, and which rules it broke. */
import type { Fast } from "../../impl/fast/index.js";
import { checkedStep } from "../../spec/invariants/check.js";
import { noGrants } from "../../spec/invariants/grants.js";
import type { StrategyName } from "../../spec/sfork/config.js";
import type { Counters } from "../../spec/sfork/machine.js";
import { knownFalse } from "../../spec/sfork/variants/baselines.js";
import { look } from "../check/lockstep.js";
import { viewViolations } from "../check/view-invariants.js";
import { createSpec } from "../implementations/spec.js";
import { judgeFork, type Broken, type Judged } from "./judge.js";
import { looksOfFast, looksOfView } from "./looks.js";
import type { Packed } from "./pack.js";
import { startFast, startSpec } from "./start.js";

/** What the specification said of the same fork. */
interface Beside {
  /** Where it and the optimised implementation are not the same, if anywhere. */
  readonly difference: string | undefined;
  /** Places that break INV-1 to INV-4 by the suite's ordinary check. */
  readonly violations: number;
}

export interface ForkResult extends Judged {
  readonly name: StrategyName;
  /** It is meant to isolate. */
  readonly isIsolating: boolean;
  readonly counters: { readonly parent: Counters; readonly child: Counters };
  /** What the implementation finds wrong in its own structures. */
  readonly unsound: readonly string[];
  /** Undefined where the specification was left out, or the image is too large for it. */
  readonly beside: Beside | undefined;
  readonly milliseconds: number;
}

/** The strategies that an image is forked under, those that are known not to isolate last. */
export const imageStrategies = [
  ...(["eager", "coa", "copa", "multi-as-cow", "vm-clone"] as const),
  ...(["shared-segments", "naive-cow"] as const),
] as const satisfies readonly StrategyName[];

export type ImageStrategy = (typeof imageStrategies)[number];

/** Widened megabytes that the specification takes in some seconds; 256 pages each. */
export const specificationPages = 1024;

/** `c0` is `rax`, or `x0`: where a process finds the answer of its fork. */
const cd = 0;
const fork = { actor: 0, operation: { op: "fork", cd } } as const;

const [child, slot] = [1, 1];

const none: Counters = { faults: 0, copies: 0, relocations: 0, pageTableWrites: 0 };

/** The same fork by the specification; what both show is the same, or it is a difference, and is checked once. */
const besideSpecification = (
  packed: Packed,
  strategy: StrategyName,
  fast: Fast,
): { readonly beside: Beside; readonly broken: readonly Broken[] } => {
  const config = packed.configOf(strategy);
  const { checked, transition } = checkedStep(
    { machine: startSpec(packed, strategy), grants: noGrants, ghost: undefined },
    fork,
  );
  // Views are large: each is made once.
  const [expected, shown] = [createSpec(config, checked.machine), fast].map((one) => {
    const view = one.view();
    return { ...one, view: () => view };
  });
  if (expected === undefined || shown === undefined || transition === undefined) throw new RangeError("nobody forked");
  const difference = look(expected, shown);
  const found = viewViolations(transition, shown.view());
  const { broken } = judgeFork(looksOfView(expected.view()), { config, memory: packed.memory, child, slot, cd });
  const told =
    difference !== undefined && "where" in difference
      ? `${difference.where}: expected ${difference.expected}, is ${difference.actual}`
      : difference?.kind;
  return { beside: { difference: told, violations: found.length }, broken };
};

/**
 * Forks an image; `specification: false` leaves the specification out. Throws a `RangeError` where the fork fails: there are frames for two of it, so it does not.
 */
export const forkImage = (packed: Packed, strategy: ImageStrategy, { specification = true } = {}): ForkResult => {
  const { memory } = packed;
  const config = packed.configOf(strategy);
  const fast = startFast(packed, strategy);
  const begun = performance.now();
  fast.step(fork);
  const milliseconds = performance.now() - begun;
  const { observation } = fast.observed();
  if (observation.kind !== "child") throw new RangeError(`the image cannot be forked: ${observation.kind}`);
  const judged = judgeFork(looksOfFast(fast), { config, memory, child, slot, cd });
  const [parent = none, own = none] = fast.counters();
  const small = specification && memory.pages.length <= specificationPages;
  const { beside, broken } = small
    ? besideSpecification(packed, strategy, fast)
    : { beside: undefined, broken: judged.broken };
  // What the specification shows is judged alike: where it is not, that is a difference of its own.
  const same = JSON.stringify(broken) === JSON.stringify(judged.broken);
  return {
    name: strategy,
    isIsolating: !(strategy in knownFalse),
    ...judged,
    counters: { parent, child: own },
    unsound: fast.check(),
    beside:
      beside && (same ? beside : { ...beside, difference: beside.difference ?? "they do not break the same rules" }),
    milliseconds,
  };
};

/** Nothing is wrong with it. */
export const holds = ({ broken, unsound, beside }: ForkResult): boolean =>
  broken.length === 0 && unsound.length === 0 && beside?.difference === undefined && (beside?.violations ?? 0) === 0;

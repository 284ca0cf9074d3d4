/** A refutation told: what each step does and which capabilities it leaves where, what breaks, and what the true rule gives. */
import type { Capability } from "../../spec/cheri/index.js";
import { samePlace, type Place } from "../../spec/invariants/places.js";
import { kernelHeld } from "../../spec/invariants/transition.js";
import { viewPage } from "../../spec/invariants/view.js";
import { registerCount, type Machine } from "../../spec/sfork/machine.js";
import type { Claim } from "../../spec/sfork/variants/claim.js";
import { claims } from "../../spec/sfork/variants/claims.js";
import { printObservation } from "../canon.js";
import { full, granuleText, nameOf, tell, type Run, type Told } from "../told.js";
import { systemOf } from "./breach.js";
import { trueConfig, type Refutation } from "./refute.js";

/** What one machine shows at the place, or in the step, where it breaks. */
export interface Shown {
  readonly observation: string;
  readonly holds: string | undefined;
}

export interface Story extends Refutation {
  readonly belief: string;
  /** The true rule, and what it says. */
  readonly truth: string;
  readonly because: string;
  /** The function of the published prototype that does what the claim says. */
  readonly prototype: string | undefined;
  readonly steps: readonly Told[];
  /** What breaks, as one sentence. */
  readonly what: string;
  readonly byClaim: Shown;
  readonly byTruth: Shown;
  /** The true machine had another configuration: a strategy that conforms, or places that are legal. */
  readonly truly: string | undefined;
}

/** What is at a place; undefined where there is no such place. */
const contentOf = (machine: Machine, place: Place): string | undefined => {
  const { owner, kind, number, index } = place;
  const shown = (one: Capability | undefined): string | undefined => one && full(one, machine, owner);
  if (kind === "page") {
    const slot = machine.processes[owner ?? -1]?.slot;
    const granule = slot === undefined ? undefined : viewPage(machine, slot, number)?.granules[index];
    return granule && granuleText(machine, granule, owner);
  }
  if (kind === "segment") {
    const granule = machine.segments[number]?.[index];
    return granule && granuleText(machine, granule, owner);
  }
  if (kind === "channel") return shown(machine.channels[number]?.messages[index]);
  if (kind === "thread") {
    const thread = machine.threads[number];
    return shown(index < registerCount ? thread?.registers[index] : thread?.pcc);
  }
  return shown(kernelHeld(machine).find((held) => samePlace(held, place))?.capability);
};

const shownBy = ({ steps, checked }: Run, place: Place | undefined): Shown => ({
  observation: steps.at(-1)?.observation ?? "none",
  holds: place && contentOf(checked.machine, place),
});

/** What breaks, as a sentence; the bounds that the checker names are left to what is shown beside it. */
const sentence = ({ breach: { rule, violation, expected } }: Refutation): string => {
  if (violation !== undefined) {
    const where = violation.place === undefined ? violation.where : nameOf(violation.place);
    return `${where} ${violation.what.replace(/: \[.*$/, "")}`;
  }
  const other =
    rule === "REF-3" ? "in an address space of its own the process" : "beside it, on eager copies, the process";
  return expected === undefined ? rule : `${other} observes ${printObservation(expected)}`;
};

/** What the true rule says of observations that need not be the same. */
const notCompared = (rule: string, { steps }: Run): Shown | undefined => {
  const outside = steps.findIndex(({ observation }) => observation === "outside-profile");
  const said = {
    "REF-2": `outside-profile in step ${outside}: nothing is compared from there on`,
    "REF-3": "a number of an address, which is not compared",
  }[rule];
  return said === undefined ? undefined : { observation: said, holds: undefined };
};

const told = (strategy: string, other: string, places: boolean): string | undefined => {
  const parts = [...(strategy === other ? [] : [`strategy ${other}`]), ...(places ? ["places that CFG-1 allows"] : [])];
  return parts.length === 0 ? undefined : `with ${parts.join(" and ")}`;
};

/** Tell a refutation. */
export const storyOf = (refutation: Refutation): Story => {
  const claim: Claim = claims[refutation.claim];
  const { program, breach } = refutation;
  const truth = trueConfig(claim, program.config);
  const false_ = tell(systemOf(claim), program);
  const true_ = tell(systemOf({}), { ...program, config: truth });
  const place = breach.violation?.place;
  const byTruth = notCompared(breach.rule, true_) ?? shownBy(true_, place);
  return {
    ...refutation,
    belief: claim.belief,
    steps: false_.steps,
    what: sentence(refutation),
    because: claim.because,
    truth: claim.truth,
    prototype: claim.prototype,
    byClaim: shownBy(false_, place),
    byTruth,
    truly: told(program.config.strategy, truth.strategy, claim.places !== undefined),
  };
};

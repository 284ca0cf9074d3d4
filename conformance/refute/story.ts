/** A refutation told: what each step does and which capabilities it leaves where, what breaks, and what the true rule gives. */
import type { Capability, Granule } from "../../spec/cheri/index.js";
import { checkedStep, type Checked } from "../../spec/invariants/check.js";
import { decoded, kernelHeld, sameCapability, samePlace, scopeOf } from "../../spec/invariants/transition.js";
import type { Place, Scope, Transition } from "../../spec/invariants/transition.js";
import { viewPage } from "../../spec/invariants/view.js";
import { registerCount, type Machine } from "../../spec/sfork/machine.js";
import type { Step } from "../../spec/sfork/operation.js";
import type { Claim } from "../../spec/sfork/variants/claim.js";
import { claims } from "../../spec/sfork/variants/claims.js";
import { canonical, canonicalCapability, printObservation } from "../canon.js";
import type { CompleteProgram } from "../check/finding.js";
import { printOperation } from "../program/print.js";
import { systemOf, type System } from "./breach.js";
import { trueConfig, type Refutation } from "./refute.js";

/** A step as it is told. */
export interface Told {
  /** `P1`, or `P1.t1` for a thread that is not its first; `-` where nobody could take the step. */
  readonly actor: string;
  readonly operation: string;
  readonly observation: string;
  /** Capabilities that the step left somewhere, `P0 c8 holds [P0+0x0, P0+0x10)`. */
  readonly left: readonly string[];
}

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

const nameOf = ({ owner, kind, number, index }: Place): string => {
  const whose = owner === undefined ? "" : `P${owner} `;
  if (kind === "page") return `${whose}page ${number} granule ${index}`;
  if (kind === "segment") return `segment ${number} granule ${index}`;
  if (kind === "thread") return `${whose}${index < registerCount ? `c${index}` : "pcc"}`;
  if (kind === "channel") return `channel ${number} message ${index}`;
  if (kind === "request") return `${whose}request ${number}`;
  if (kind === "call") return `${whose}call buffer ${index}`;
  return number === 0 ? `${whose}alternate stack` : `${whose}handler ${number} ${index === 0 ? "code" : "data"}`;
};

/** Bounds, and what is not as one would expect from them. */
const brief = (capability: Capability, machine: Machine, process: number | undefined): string => {
  const { base, top, address, otype } = canonicalCapability(capability, machine, process);
  const at = address === base ? "" : ` at ${address}`;
  return `[${base}, ${top})${at}${otype === "unsealed" ? "" : ` sealed ${otype}`}`;
};

/** The same with its permissions. */
const full = (capability: Capability, machine: Machine, process: number | undefined): string => {
  const { permissions } = canonicalCapability(capability, machine, process);
  const tag = capability.tag ? "" : "untagged ";
  return `${tag}${brief(capability, machine, process)} ${permissions.length === 0 ? "no rights" : permissions.join(",")}`;
};

const granuleText = (machine: Machine, granule: Granule, owner: number | undefined): string => {
  if (granule.tag) return full(decoded(machine, granule), machine, owner);
  return `no capability, bytes 0x${granule.bits.toString(16)}`;
};

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

/** Tagged capabilities that a step left where there was something else; a child's registers are its parent's, moved. */
const leftIn = (scope: Scope): readonly string[] => {
  const { after, before, granules, registers, kernel, inFlight, observation } = scope;
  const child = observation.kind === "child" ? observation.child : undefined;
  const line = (place: Place, capability: Capability): string =>
    `${nameOf(place)} holds ${brief(capability, after, place.owner)}`;
  const isNew = (old: Capability | undefined, now: Capability): boolean =>
    now.tag && (old === undefined || !sameCapability(old, now));
  return [
    ...granules
      .filter(({ old, now }) => now.tag && (old?.tag !== true || old.bits !== now.bits))
      .map((one) => line(one, decoded(after, one.now))),
    ...registers
      .filter(({ owner, old, now }) => (child === undefined || owner !== child) && isNew(old, now))
      .map((one) => line(one, one.now)),
    ...kernel.filter(({ old, now }) => isNew(old, now)).map((one) => line(one, one.now)),
    ...inFlight
      .filter(({ number, index, capability }) => {
        const old = before.channels[number]?.messages[index];
        return old === undefined || !sameCapability(old, capability);
      })
      .map((one) => line(one, one.capability)),
  ];
};

const actorOf = ({ threads }: Machine, thread: number | undefined): string => {
  const process = threads[thread ?? -1]?.process;
  if (thread === undefined || process === undefined) return "-";
  const nth = threads.slice(0, thread).filter((other) => other.process === process).length;
  return nth === 0 ? `P${process}` : `P${process}.t${nth}`;
};

interface Run {
  readonly steps: readonly Told[];
  readonly checked: Checked;
}

/** The steps on one of the machines, one after the other. */
const tell = (system: System, { config, steps }: CompleteProgram): Run => {
  let checked = system.start(config);
  const told = steps.map((next: Step): Told => {
    const taken = checkedStep(checked, next, system.step);
    const { machine } = taken.checked;
    const made = [taken.delivery, taken.transition].filter((one): one is Transition => one !== undefined);
    checked = taken.checked;
    return {
      actor: actorOf(machine, taken.thread),
      operation: printOperation(next.operation),
      observation: printObservation(canonical(taken.observation, machine, taken.transition?.process, taken.signals)),
      left: made.flatMap((transition) => leftIn(scopeOf(transition, "incremental"))),
    };
  });
  return { steps: told, checked };
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

/** Campaigns: the programs of a seed, one after the other, each judged; and what all of them came to. */
import { fastStrategies } from "../../impl/fast/index.js";
import type { Implementation } from "../../impl/implementation.js";
import type { FormatName } from "../../spec/cheri/index.js";
import type { Config, StrategyName } from "../../spec/sfork/config.js";
import { invariants } from "../../spec/invariants/check.js";
import { generate } from "../generate/generate.js";
import type { GenerateOptions, Profile } from "../generate/options.js";
import { implementations, strategiesOf, type ImplementationName } from "../implementations/index.js";
import { strategyNames } from "../program/config-codec.js";
import { allowedOf } from "../protocol/negotiate.js";
import { judgeBeside } from "./beside.js";
import { Connected, declared, isExternal, judgeExternal, type External } from "./external.js";
import { judgeOnKernel } from "./kernel.js";
import type { CompleteProgram, Finding } from "./finding.js";
import { bare, minimise, type Minimised } from "./minimise.js";
import { judge, refinement, type Checker, type ComparisonEnd, type JudgeOptions, type Verdict } from "./judge.js";

/**
 * `spec-lazy`: the specification alone, its lazy copies beside eager ones; `linux`: the running kernel, and everything else
 * beside it; or what is compared with the specification.
 */
export const checked = ["spec-lazy", "fast", "linux"] as const satisfies readonly (
  "spec-lazy" | "linux" | ImplementationName
)[];

/** Makes an implementation, as `createFast` does. */
export type Create = (config: Config) => Implementation;

/** A defective variant of the optimised implementation, which a thread loads for itself. */
export interface Defective {
  readonly defect: string;
}

export const isDefective = (impl: unknown): impl is Defective =>
  typeof impl === "object" && impl !== null && "defect" in impl;

/** What commands check: something that has a name here, an implementation in another process, or a defect. */
export type Checkable = (typeof checked)[number] | External | Defective;

/** What is checked: that, or what makes an implementation of one's own. */
export type Subject = Checkable | Create;

/** What an implementation can be asked for: the specification has all, known-false ones, too; one of one's own may. */
export const strategiesFor = (impl: Subject): readonly StrategyName[] => {
  if (impl === "linux") return ["posix"];
  if (isExternal(impl)) return impl.hello.strategies;
  if (isDefective(impl)) return strategiesOf.fast;
  return impl === "spec-lazy" || typeof impl === "function" ? strategyNames : strategiesOf[impl];
};

/** What `all` means: of the optimised implementation not the systems that it only compares others with. */
export const usualStrategiesFor = (impl: Subject): readonly StrategyName[] =>
  impl === "fast" || isDefective(impl) ? fastStrategies : strategiesFor(impl);

/** What says which programs there are: the same settings, the same programs. */
export interface CampaignSettings<Impl extends Subject = Checkable> {
  readonly impl: Impl;
  readonly seed: string;
  readonly formats: readonly FormatName[];
  readonly strategies: readonly StrategyName[];
  readonly profile: Profile | "mixed";
  /** Most steps of a program. */
  readonly steps: number;
}

export type AnySettings = CampaignSettings<Subject>;

/** Where a program comes from. */
interface Origin {
  /** The program's number within the seed; of programs of files, the number of the file. */
  readonly index: number;
  /** The file that it was read from, if it was not generated. */
  readonly file?: string;
  /** It was made from other programs: neither seed nor number say which one it is. */
  readonly mutant?: true;
}

/** A program that was made from others. */
export interface Mutant {
  readonly index: number;
  readonly program: CompleteProgram;
}

/** A program that was read from a file. */
export interface FileProgram {
  readonly index: number;
  readonly file: string;
  readonly program: CompleteProgram;
}

export interface Judged extends Origin {
  readonly strategy: StrategyName;
  readonly verdict: Verdict;
  /** What it showed, where programs are made from those that show something new. */
  readonly features?: readonly number[];
}

/** Of one program in this many everything is looked at after every step. */
export const fullEvery = 50;

/** Judge a program of one's own. */
export const judgeAs = (impl: Subject, program: CompleteProgram, options: JudgeOptions): Verdict => {
  if (impl === "spec-lazy") return judge(program, options);
  if (impl === "linux") return judgeOnKernel(program, options);
  if (isExternal(impl)) {
    if (impl instanceof Connected) return judgeExternal(program, impl, options);
    throw new TypeError("there is no connection to the implementation in this thread");
  }
  if (isDefective(impl)) throw new TypeError("the defect was not loaded in this thread");
  return judgeBeside(program, typeof impl === "function" ? impl : implementations[impl], options);
};

/** What a step observed, or that it does not come to that, is seen without looking at everything. */
export const looksAtEverything = ({ kind }: Finding): boolean => !["observation", "hang", "worker"].includes(kind);

/** What became of a finding: as it was, where it did not show again. */
export const became = (found: Found, result: Minimised): Found => ({
  ...found,
  finding: result.kind === "flaky" ? { ...found.finding, kind: "flaky" } : result.finding,
});

/** A finding of a campaign made smaller, in this thread. */
export const minimised = ({ impl }: Pick<AnySettings, "impl">, found: Found, checker?: Checker): Found => {
  const full = looksAtEverything(found.finding);
  const judgeAgain = (program: CompleteProgram): Finding | undefined =>
    judgeAs(impl, program, { ...(checker && { checker }), full }).finding;
  return became(found, minimise(found.finding, judgeAgain));
};

/**
 * What shows first where everything is looked at after every step. By that findings are told apart: what most programs look
 * at in the end only would have as many causes as programs have last steps.
 */
const firstOf = (impl: Subject, finding: Finding, options: JudgeOptions): Finding =>
  judgeAs(impl, bare(finding), { ...options, coverage: undefined, full: true }).finding ?? finding;

/** How a program is judged, beside the settings. */
export type ProgramOptions = Omit<JudgeOptions, "full">;

/** What the generator is asked for. */
export const optionsOf = ({ impl, formats, strategies, profile, steps }: AnySettings): GenerateOptions => {
  const asked = { formats, strategies, profile, steps };
  const allowed = isExternal(impl) ? allowedOf(asked, declared(impl)) : {};
  if ("wrong" in allowed) throw new RangeError(String(allowed.wrong));
  return { ...asked, ...allowed };
};

/** Program number `index`; it does not depend on any other. */
export const programOf = (settings: AnySettings, index: number): CompleteProgram => {
  const { version, config, steps } = generate(settings.seed, index, optionsOf(settings));
  return { version, config, steps };
};

/** Judge program number `index`. */
export const judgeProgram = (
  settings: AnySettings,
  index: number,
  options: ProgramOptions = {},
  program = programOf(settings, index),
): Judged => {
  const full = index % fullEvery === 0;
  const verdict = judgeAs(settings.impl, program, { ...options, full });
  const finding = full ? verdict.finding : verdict.finding && firstOf(settings.impl, verdict.finding, options);
  return { index, strategy: program.config.strategy, verdict: { ...verdict, finding } };
};

/** Judge a program of a file: there are few of them, so that everything is looked at after every step. */
export const judgeFile = (
  settings: AnySettings,
  { index, file, program }: FileProgram,
  options: ProgramOptions = {},
): Judged => {
  const verdict = judgeAs(settings.impl, program, { ...options, full: true });
  return { index, file, strategy: program.config.strategy, verdict };
};

/** A finding that no earlier program had. */
export interface Found extends Origin {
  readonly finding: Finding;
}

export interface Check {
  readonly rule: string;
  /** Observations that were compared, or transitions after which the invariant was evaluated. */
  readonly checked: number;
  /** Programs that break the rule. */
  readonly failed: number;
}

export interface Totals {
  readonly programs: number;
  readonly steps: number;
  /** Times that views and counters were compared with the specification's. */
  readonly looks: number;
  readonly transitions: number;
  /** Of the transitions, those after which everything was looked at. */
  readonly inFull: number;
  /** Observations that REF-3 compared without the numbers of addresses. */
  readonly masked: number;
  /** Programs whose comparison with eager copies ended early. */
  readonly ended: Readonly<Record<ComparisonEnd, number>>;
  readonly checks: readonly Check[];
  /** Programs that crashed what is checked. */
  readonly crashes: number;
  /** In the order in which they were found; `programs`: how many had it. */
  readonly findings: readonly (Found & { readonly programs: number })[];
}

/** Invariants that can be judged by what an implementation lets be seen. */
const viewRules = ["INV-1", "INV-2", "INV-3", "INV-4"] as const;

/** Adds verdicts up, in the order of programs: which finding is the first of its kind depends on it. */
export interface Tally {
  /** The program's finding, if it is unlike all before. */
  readonly add: (judged: Judged) => Found | undefined;
  readonly totals: () => Totals;
}

/** `known`: keys of earlier findings that still show, and are told as such. */
export const createTally = (
  { impl, strategies }: Pick<AnySettings, "impl" | "strategies">,
  known: readonly string[] = [],
): Tally => {
  const ruleOf = (strategy: StrategyName): string | undefined => {
    if (impl === "linux") return "REF-0";
    return impl === "spec-lazy" ? refinement[strategy] : "REF-4";
  };
  const found = new Map<string, { readonly first: Found; programs: number }>();
  const failed = new Map<string, number>();
  const compared = new Map<string, number>();
  let [oblivious, masked] = [0, 0];
  const ended = { "outside-profile": 0, "out-of-frames": 0, addresses: 0, choices: 0 };
  let programs = 0;
  let steps = 0;
  let looks = 0;
  let transitions = 0;
  let inFull = 0;
  let crashes = 0;
  const bump = (counter: Map<string, number>, key: string, by: number): void => {
    counter.set(key, (counter.get(key) ?? 0) + by);
  };

  const note = (origin: Origin, finding: Finding): Found | undefined => {
    if (finding.kind === "crash") crashes += 1;
    for (const rule of [finding.rule, ...finding.also]) bump(failed, rule, 1);
    if (known.includes(finding.key)) return undefined;
    const before = found.get(finding.key);
    if (before !== undefined) {
      before.programs += 1;
      return undefined;
    }
    const first = { ...origin, finding };
    found.set(finding.key, { first, programs: 1 });
    return first;
  };

  const checkOf = (rule: string, checked: number): Check => ({ rule, checked, failed: failed.get(rule) ?? 0 });
  const refinements = [...new Set(strategies.flatMap((strategy) => ruleOf(strategy) ?? []))];

  return {
    add: ({ strategy, verdict, index, file, mutant }) => {
      programs += 1;
      steps += verdict.steps;
      looks += verdict.looks;
      transitions += verdict.transitions;
      inFull += verdict.inFull;
      if (verdict.ended !== undefined) ended[verdict.ended] += 1;
      const rule = ruleOf(strategy);
      if (rule !== undefined) bump(compared, rule, verdict.compared);
      oblivious += verdict.oblivious;
      masked += verdict.masked;
      if (verdict.finding === undefined) return undefined;
      const origin = { index, ...(file !== undefined && { file }), ...(mutant && { mutant }) };
      return note(origin, verdict.finding);
    },
    totals: () => {
      const usual = [
        ...refinements.map((rule) => checkOf(rule, compared.get(rule) ?? 0)),
        ...(impl === "spec-lazy" || impl === "linux" ? [checkOf("REF-3", oblivious)] : []),
        // From outside there is only what views show.
        ...(isExternal(impl)
          ? viewRules.map((rule) => checkOf(rule, looks))
          : Object.keys(invariants).map((rule) => checkOf(rule, transitions))),
      ];
      // An invariant may report a rule that it finds broken by the way.
      const others = [...failed.keys()].filter((rule) => !usual.some((check) => check.rule === rule));
      return {
        programs,
        steps,
        looks,
        transitions,
        inFull,
        masked,
        ended: { ...ended },
        checks: [...usual, ...others.map((rule) => checkOf(rule, transitions))],
        crashes,
        findings: [...found.values()].map(({ first, programs: times }) => ({ ...first, programs: times })),
      };
    },
  };
};

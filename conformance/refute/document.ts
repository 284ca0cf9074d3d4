/** `docs/claims.md`: the baselines and what they cost, and the story of each claim, as one seed tells them. */
import { checkedStep, invariants, start, violations } from "../../spec/invariants/check.js";
import { completeConfig, type StrategyName } from "../../spec/sfork/config.js";
import { runFrom } from "../../spec/sfork/step.js";
import { initial } from "../../spec/sfork/machine.js";
import type { Operation, Step } from "../../spec/sfork/operation.js";
import { conforming, knownFalse } from "../../spec/sfork/variants/baselines.js";
import { generate, generatorVersion } from "../generate/generate.js";
import { strategyNames } from "../program/config-codec.js";
import { totals } from "../program/trace.js";
import { plural } from "../plural.js";
import { stepLines } from "../told.js";
import { machineOf, prototypeNote, shownLines } from "./print.js";
import { claimNames, refute } from "./refute.js";
import { storyOf, type Story } from "./story.js";

/** What the page tells of, unless somebody says otherwise. */
export const usualSeed = "claims";

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

const header = (...names: readonly string[]): readonly string[] => [row(names), row(names.map(() => "---"))];

const by = (actor: number, operation: Operation): Step => ({ actor, operation });

const pageSize = 256;

/** A parent with a pointer on each of its four pages of data; a child that loads two, reads a third page, and writes one. */
const costly: readonly Step[] = [
  ...[0, 1, 2, 3].map((page) => by(0, { op: "storecap", cs2: 1, n: { immediate: BigInt(page * pageSize) }, cs1: 1 })),
  by(0, { op: "fork", cd: 7 }),
  by(1, { op: "loadcap", cd: 8, n: { immediate: 0n }, cs1: 1 }),
  by(1, { op: "loadcap", cd: 8, n: { immediate: BigInt(pageSize) }, cs1: 1 }),
  by(1, { op: "load.b", cd: 9, n: { immediate: BigInt(2 * pageSize + 64) }, cs1: 1 }),
  by(1, { op: "store.b", value: { immediate: 1n }, n: { immediate: 64n }, cs1: 1 }),
  by(0, { op: "store.b", value: { immediate: 1n }, n: { immediate: BigInt(3 * pageSize + 64) }, cs1: 1 }),
];

const origins: Readonly<Record<StrategyName, string>> = {
  posix: "L0: copies into an address space of the child's own",
  eager: "L1: copies and relocates at the fork",
  coa: "L2: copy on access",
  copa: "L2: copy on pointer access",
  "multi-as-cow": "a monolithic kernel: an address space each, copy on write",
  "vm-clone": "Nephele, KylinX: the same, and the kernel is cloned, too",
  "shared-segments": "Wilkinson et al. 1993: the child maps its parent's segments",
  "naive-cow": "copy on write in one address space, no trap at pointers",
};

const costRow = (strategy: StrategyName): string => {
  const config = completeConfig({ strategy, page: pageSize, pages: 8 });
  if ("illegal" in config) throw new RangeError(config.illegal);
  const { faults, copies, relocations, pageTableWrites } = totals(runFrom(initial(config), costly).machine);
  const numbers = [faults, copies, relocations, pageTableWrites].map(String);
  return row([`\`${strategy}\``, origins[strategy], strategy in knownFalse ? "no" : "yes", ...numbers]);
};

/** Programs in which baselines are looked at, and their longest. */
const looked = { programs: 200, steps: 24 } as const;

/** How many programs of a seed break each invariant somewhere, by its name. */
const brokenOn = (strategy: StrategyName, seed: string): ReadonlyMap<string, number> => {
  const programs = new Map<string, number>();
  for (let index = 0; index < looked.programs; index += 1) {
    const { config, steps } = generate(seed, index, { strategies: [strategy], steps: looked.steps });
    let checked = start(config);
    const broken = steps.flatMap((next) => {
      const { delivery, transition, checked: after } = checkedStep(checked, next);
      checked = after;
      const made = [delivery, transition].filter((one) => one !== undefined);
      return made.flatMap((one) => violations(one, "incremental").map(({ rule }) => rule));
    });
    for (const rule of new Set(broken)) programs.set(rule, (programs.get(rule) ?? 0) + 1);
  }
  return programs;
};

const brokenRow = (strategy: StrategyName, seed: string): string => {
  const programs = brokenOn(strategy, seed);
  const list = Object.keys(invariants).flatMap((rule) => {
    const count = programs.get(rule);
    return count === undefined ? [] : [`${rule} ${count}`];
  });
  return row([`\`${strategy}\``, list.length === 0 ? "none" : list.join(", ")]);
};

const baselineNames = [...Object.keys(conforming), ...Object.keys(knownFalse)] as readonly StrategyName[];

const anchor = (story: Story): string => `[${story.claim}](#${story.claim.toLowerCase()})`;

const storySection = (story: Story): readonly string[] => {
  const { claim, belief, breach, program, steps, what, truth, because, prototype } = story;
  return [
    `## ${claim}`,
    "",
    `*“${belief[0]?.toUpperCase() ?? ""}${belief.slice(1)}.”*`,
    "",
    `Refuted in ${plural(steps.length, "step")} (${machineOf(program.config)}):`,
    "",
    "```text",
    ...stepLines(steps),
    "```",
    "",
    `${breach.rule} breaks in step ${breach.step}: ${what}.`,
    "",
    ...header("", "there"),
    ...shownLines(story).map(([name, line]) => row([name, `\`${line}\``])),
    "",
    `${truth}: ${because}.`,
    ...(prototype === undefined ? [] : ["", prototypeNote(prototype)]),
    "",
  ];
};

/** The page for a seed. Throws where a claim stands: there is nothing to tell of it then. */
export const claimsDocument = (seed: string): string => {
  const stories = claimNames.map((name) => {
    const refutation = refute(name, seed);
    if (refutation === undefined) throw new RangeError(`${name} stands`);
    return storyOf(refutation);
  });
  return [
    "# Baselines and false claims",
    "",
    `Generated by \`npx tsx scripts/claims.ts\` with seed \`${seed}\`, generator ${generatorVersion}; do not edit.`,
    "",
    "Earlier systems gave a fork to one address space at a price, or by another mechanism; and some things that one believes",
    "of such a fork are not so. Both stand in [spec/sfork/variants](../spec/sfork/variants), as strategies of the same machine",
    "and as false rules beside the true ones.",
    "",
    "## Baselines",
    "",
    "The same small program on each: a pointer on each of four pages, a fork, two of them loaded and two pages written. *PTW* is",
    "page-table writes. The strategies that do not hold what the suite checks run only if they are named.",
    "",
    ...header("strategy", "is", "conforms", "faults", "copies", "relocations", "PTW"),
    ...strategyNames.map(costRow),
    "",
    "`vm-clone` maps a kernel of 64 pages into each process, and copies 8 of them before the child runs: an assumption, to be read",
    "with the figures that its papers give.",
    "",
    `Which invariants they break, and in how many of ${looked.programs} programs of up to ${looked.steps} steps. \`naive-cow\` breaks INV-1 and INV-2, and`,
    "`shared-segments` INV-6, by what they are; the others follow: a stale pointer is also no exact image (INV-3), not what an eager",
    "copy shows (INV-8), and in time a pointer to what has ended, and a way to what is not one's own.",
    "",
    ...header("strategy", "breaks"),
    ...baselineNames.map((name) => brokenRow(name, seed)),
    "",
    "## Claims",
    "",
    "Each claim is made into a machine with one false rule. Generated programs run on it until one breaks what the claim promises, and",
    "that is shrunk until no step can be left out. `npx sfork refute CLAIM-3` searches again, from any seed; `--program` prints the",
    "program alone.",
    "",
    ...header("claim", "is believed", "breaks", "steps", "the true rule"),
    ...stories.map((story) => {
      const { belief, breach, steps, truth } = story;
      return row([anchor(story), belief, breach.rule, String(steps.length), truth]);
    }),
    "",
    "A line `P1 c8 holds [P1+0x0, P1+0x10)` says which register or granule a step left a capability in: numbers relative to the",
    "region of a process. The rules stand in [rules.md](rules.md).",
    "",
    ...stories.flatMap(storySection),
  ].join("\n");
};

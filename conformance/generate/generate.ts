/** Programs from a seed: templates of corner cases, and steps of any kind between them. */
import { formats, type FormatName } from "../../spec/cheri/index.js";
import type { StrategyName } from "../../spec/sfork/config.js";
import type { CornerCaseName } from "../corner-cases.js";
import type { Step } from "../../spec/sfork/operation.js";
import { programVersion } from "../program/program.js";
import { configOf } from "./config.js";
import { imm, Scene } from "./scene.js";
import type { GenerateOptions, GeneratedProgram, Profile } from "./options.js";
import { randomOf, type Random } from "./random.js";
import { randomStep } from "./random-step.js";
import { swarmOf } from "./swarm.js";
import { templatesFor, type NamedTemplate } from "./templates.js";

/** A seed means the same programs as long as this stays the same: whatever changes them changes it. */
export const generatorVersion = 7;

const defaultSteps = 60;

const nonEmpty = <T>(list: readonly T[], what: string): readonly [T, ...T[]] => {
  const [first, ...rest] = list;
  if (first === undefined) throw new RangeError(`no ${what} to generate programs for`);
  return [first, ...rest];
};

const allFormats = Object.keys(formats) as readonly FormatName[];

/** The level of many address spaces, which is what the posix profile is about; or those of one, as everything else. */
export const strategiesFor = (profile: Profile | "mixed"): readonly StrategyName[] =>
  profile === "posix" ? ["posix"] : ["eager", "coa", "copa"];

const profileOf = (random: Random, wanted: Profile | "mixed"): Profile => {
  if (wanted !== "mixed") return wanted;
  const share = random.below(100);
  if (share < 35) return "oblivious";
  return share < 48 ? "raw-bytes" : "full";
};

/** Most programs are nearly as long as they may be: what goes wrong late is seen only there. */
const lengthOf = (random: Random, most: number): number =>
  random.once(8) ? random.between(1, most) : random.between(Math.ceil((most * 3) / 4), most);

/** Of a hundred times that something is drawn, a template is so often; otherwise one step, which the posix profile needs more. */
const templateShare = { oblivious: 22, "raw-bytes": 22, full: 22, posix: 14 } as const satisfies Record<
  Profile,
  number
>;

/** Times that something is drawn for each step of a program's length, at most. */
const mostRounds = 40;

/** What a program is made of, beside what its scene has. */
interface Stock {
  readonly templates: readonly NamedTemplate[];
  readonly favour?: readonly CornerCaseName[] | undefined;
}

/** Add steps to a program until it has `length`; the templates that were drawn. */
const grow = (scene: Scene, length: number, { templates, favour }: Stock): readonly CornerCaseName[] => {
  const { random, profile, operations } = scene;
  const favoured = favour && templates.filter(({ name }) => favour.includes(name));
  const draw = (): NamedTemplate | undefined => {
    const among = favoured !== undefined && random.once(2) ? favoured : templates;
    return among[random.below(among.length)];
  };
  const used: CornerCaseName[] = [];
  // Where few operations may be had, a template or a step may come to nothing.
  let rounds = operations === undefined ? Infinity : length * mostRounds;
  // What comes behind the end of process 0 shows little.
  while (
    scene.steps.length < length &&
    rounds > 0 &&
    !(scene.model.isHalted && (profile === "posix" || random.once(3)))
  ) {
    rounds -= 1;
    const template = random.percent(templateShare[profile]) ? draw() : undefined;
    if (template === undefined) {
      randomStep(scene);
    } else {
      used.push(template.name);
      template.emit(scene);
    }
  }
  return used;
};

/** Program number `index` of a seed: the same on every machine, whatever was generated before it. */
export const generate = (seed: string | number, index: number, options: GenerateOptions = {}): GeneratedProgram => {
  const random = randomOf(seed, index);
  const profile = profileOf(random, options.profile ?? "mixed");
  const config = configOf(
    random,
    nonEmpty(options.formats ?? allFormats, "formats"),
    nonEmpty(options.strategies ?? strategiesFor(profile), "strategies"),
    profile,
    options.limits,
  );
  const most = options.steps ?? defaultSteps;
  const length = lengthOf(random, most);
  const all = templatesFor(profile);
  const isSwarm = options.swarm ?? options.favour === undefined;
  const { templates, seldom } = isSwarm ? swarmOf(random, all) : { templates: all, seldom: undefined };
  const scene = new Scene(random, config, profile, randomStep, options.operations, seldom);
  const used = grow(scene, length, { templates, favour: options.favour });
  if (random.once(20)) scene.add(0, { op: "exit", n: imm(0) });
  // A template that was begun may be longer than what was left for it.
  return { version: programVersion, config, steps: scene.steps.slice(0, most), profile, templates: used };
};

/**
 * A program made from others: the beginning of `parent`, and then something else than what came there: new steps, a few new
 * ones and then the rest, the rest without some steps, or the end of `other`.
 */
export const mutate = (
  random: Random,
  parent: GeneratedProgram,
  other: GeneratedProgram,
  options: Pick<GenerateOptions, "steps" | "operations"> = {},
): GeneratedProgram => {
  const { config, profile, steps } = parent;
  const most = options.steps ?? defaultSteps;
  const stock = { templates: templatesFor(profile) };
  const scene = new Scene(random, config, profile, randomStep, options.operations);
  const put = (some: readonly Step[]): void => {
    for (const { actor, operation } of some) scene.add(actor, operation);
  };
  const cut = random.below(steps.length + 1);
  put(steps.slice(0, cut));
  const way = random.below(4);
  if (way === 1) grow(scene, scene.steps.length + random.between(1, 5), stock);
  if (way === 1) put(steps.slice(cut));
  if (way === 2) put(steps.slice(cut + random.between(1, 4)));
  if (way === 3) put(other.steps.slice(random.below(other.steps.length + 1)));
  const templates = grow(scene, lengthOf(random, most), stock);
  return { version: programVersion, config, steps: scene.steps.slice(0, most), profile, templates };
};

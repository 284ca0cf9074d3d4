/** Conformance as an assertion of a test, whatever runs the test: a promise that is rejected with the story of what is wrong. */
import { generatorVersion } from "../generate/generate.js";
import { minimised, type Create } from "./campaign.js";
import type { CompleteProgram, Finding } from "./finding.js";
import { limitsOf, type CampaignOptions } from "./options.js";
import { campaign, earlier, settingsOf, type OwnSettings, type Regression, type Reported } from "./own.js";
import { defaultFolder } from "./store.js";
import { printStory } from "./story.js";

export interface AssertOptions extends CampaignOptions {
  /**
   * Failure store; `.sfork/findings` in the working directory, by default. Earlier findings in it, of these formats and
   * strategies, are judged first; a new one is saved in it. `false`: nothing is read or saved.
   */
  readonly folder?: string | false | undefined;
}

/** An implementation does not conform. The message is the story of the smallest program that shows it. */
export class NonConformance extends Error {
  readonly code = "SFORK_NONCONFORMANCE";
  // A test runner prints what an error holds, behind a message that says all of it.
  readonly #finding: Finding;

  constructor(finding: Finding, message: string) {
    super(message);
    this.name = "NonConformance";
    this.#finding = finding;
  }

  /** What is wrong, where, and in which step. */
  get finding(): Finding {
    return this.#finding;
  }

  /** The smallest program that shows it; ends with the step that fails. */
  get program(): CompleteProgram {
    return this.#finding.program;
  }
}

const calling = (target: string): string => `repeat  replay(create, ${target}), of sfork/conformance`;

const fileText = (path: string): string => `readFileSync(${JSON.stringify(path)}, "utf8")`;

const ofRegression = ({ impl }: OwnSettings, { file, finding: raw }: Regression): NonConformance => {
  const { finding } = minimised({ impl }, { index: 0, finding: raw });
  const lines = [
    `the implementation does not conform: a regression, ${file} shows a finding again`,
    "",
    ...printStory(finding, impl),
    "",
    calling(fileText(file)),
  ];
  return new NonConformance(finding, lines.join("\n"));
};

const ofReported = (
  { impl, seed }: OwnSettings,
  { finding, index, token, path }: Reported,
  errors: readonly Error[],
): NonConformance => {
  const lines = [
    "the implementation does not conform",
    "",
    ...printStory(finding, impl),
    "",
    `seed ${seed}, program ${index}, generator ${generatorVersion}`,
    ...(path === undefined ? [] : [`saved   ${path}`]),
    ...errors.map(({ message }) => `not saved: ${message}`),
    calling(path === undefined ? JSON.stringify(token) : fileText(path)),
  ];
  return new NonConformance(finding, lines.join("\n"));
};

/** The shortest program is the quickest to read. */
const shortest = (regressions: readonly Regression[]): Regression | undefined =>
  [...regressions].sort((one, two) => one.finding.program.steps.length - two.finding.program.steps.length)[0];

/**
 * Demand that an implementation conforms to the specification: as `check`, for use in a test of vitest, jest, node:test or
 * any other runner. Ends with the first finding.
 *
 * @param create makes an implementation at its start; what it or the implementation throws is a finding
 * @throws {NonConformance} (rejects) with the story of the smallest program, if something is found, or an earlier finding
 * shows again
 * @throws {InputError} (rejects) for an option that is not as it should be, and for a file of the failure store that
 * cannot be read
 * @throws what the signal was aborted with
 */
export const assertConforms = async (create: Create, options: AssertOptions = {}): Promise<void> => {
  const settings = settingsOf("assertConforms", create, options);
  const folder = options.folder === false ? undefined : (options.folder ?? defaultFolder);
  const { regressions, errors: unreadable } = await earlier(settings, folder);
  const regression = shortest(regressions);
  if (regression !== undefined) throw ofRegression(settings, regression);
  const { findings, errors } = await campaign(settings, limitsOf(options, 1), folder);
  const [first] = findings;
  if (first !== undefined) throw ofReported(settings, first, errors);
  const [unread] = unreadable;
  if (unread !== undefined) throw unread;
  options.signal?.throwIfAborted();
};

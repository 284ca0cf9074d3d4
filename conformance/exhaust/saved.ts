/** Findings of a search as files, beside those of `sfork check`. */
import type { Finding } from "../check/finding.js";
import { savedFrom } from "../check/saved.js";
import { saveFinding } from "../check/store.js";
import type { SpaceName } from "./space.js";

/** Save a finding of the optimised implementation and return its path; throws `InputError`. */
export const saveFound = (folder: string, { alphabet }: SpaceName, finding: Finding): string => {
  const { strategy } = finding.program.config;
  const origin = [
    `sfork exhaust, alphabet ${alphabet}`,
    "replay: npx sfork replay --impl fast FILE",
    ...(finding.kind === "observation" ? [`or:    npx sfork run --diff spec:${strategy},fast:${strategy} FILE`] : []),
  ];
  return saveFinding(folder, savedFrom(finding, origin));
};

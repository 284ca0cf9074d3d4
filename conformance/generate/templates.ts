/** All templates: one for each corner case, by its name. */
import { cornerCaseNames, type CornerCaseName } from "../corner-cases.js";
import type { Profile } from "./options.js";
import type { Scene } from "./scene.js";
import type { Templates } from "./template.js";
import { accessTemplates } from "./templates/accesses.js";
import { attributeTemplates } from "./templates/attributes.js";
import { authorityTemplates } from "./templates/authorities.js";
import { callTemplates } from "./templates/calls.js";
import { capabilityTemplates } from "./templates/capabilities.js";
import { descriptorTemplates } from "./templates/descriptors.js";
import { edgeTemplates } from "./templates/edges.js";
import { forkTemplates } from "./templates/forks.js";
import { grantTemplates } from "./templates/grants.js";
import { handlerTemplates } from "./templates/handlers.js";
import { imageTemplates } from "./templates/images.js";
import { kernelCopyTemplates } from "./templates/kernel-copies.js";
import { pointerTemplates } from "./templates/pointers.js";
import { processTemplates } from "./templates/processes.js";
import { sharingTemplates } from "./templates/sharing.js";
import { signalTemplates } from "./templates/signals.js";

const templates: Templates<CornerCaseName> = {
  ...capabilityTemplates,
  ...edgeTemplates,
  ...authorityTemplates,
  ...accessTemplates,
  ...forkTemplates,
  ...sharingTemplates,
  ...processTemplates,
  ...grantTemplates,
  ...pointerTemplates,
  ...descriptorTemplates,
  ...kernelCopyTemplates,
  ...callTemplates,
  ...handlerTemplates,
  ...signalTemplates,
  ...imageTemplates,
  ...attributeTemplates,
};

export interface NamedTemplate {
  readonly name: CornerCaseName;
  readonly emit: (scene: Scene) => void;
}

/** Those that the profile has, each as often as its weight says. */
const lottery = (profile: Profile): readonly NamedTemplate[] =>
  cornerCaseNames.flatMap((name) => {
    const { emit, weight } = templates[name];
    return Array.from({ length: weight[profile] }, () => ({ name, emit }));
  });

const lotteries: Readonly<Record<Profile, readonly NamedTemplate[]>> = {
  oblivious: lottery("oblivious"),
  "raw-bytes": lottery("raw-bytes"),
  full: lottery("full"),
  posix: lottery("posix"),
};

export const templatesFor = (profile: Profile): readonly NamedTemplate[] => lotteries[profile];

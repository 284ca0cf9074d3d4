/** All requirements on fork, section by section. */
import { attributes } from "./attributes.js";
import { calls } from "./calls.js";
import { descriptors } from "./descriptors.js";
import { ending } from "./ending.js";
import { exec } from "./exec.js";
import { locks } from "./locks.js";
import { memory } from "./memory.js";
import { isModelled, type ModelledRequirement, type Requirement, type Section } from "./requirement.js";
import { signals } from "./signals.js";
import { threads } from "./threads.js";
import { time } from "./time.js";

export const sections: readonly Section[] = [
  ...[calls, memory, descriptors, locks, signals],
  ...[time, threads, attributes, ending, exec],
];

export const requirements: readonly Requirement[] = sections.flatMap(({ rows }) => rows);

export const modelled: readonly ModelledRequirement[] = requirements.filter(isModelled);

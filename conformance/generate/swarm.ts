/**
 * Swarm: a program leaves out half of what there is, another half each time. Operations that undo or end what others need
 * are absent from some programs, and what is left is met more often, and by more of its like.
 */
import { operations, type OperationName } from "../../spec/sfork/operation.js";
import type { Random } from "./random.js";
import type { NamedTemplate } from "./templates.js";

/** Without these there is nothing to look at. */
const always: ReadonlySet<OperationName> = new Set<OperationName>([
  "fork",
  "storecap",
  "loadcap",
  "csetbounds",
  "yield",
]);

const names = Object.keys(operations) as readonly OperationName[];

export interface Swarm {
  /** Operations that no step between templates is. */
  readonly seldom: ReadonlySet<OperationName>;
  readonly templates: readonly NamedTemplate[];
}

export const swarmOf = (random: Random, templates: readonly NamedTemplate[]): Swarm => {
  const seldom = new Set(names.filter((name) => random.once(2) && !always.has(name)));
  const dropped = new Set([...new Set(templates.map(({ name }) => name))].filter(() => random.once(2)));
  const kept = templates.filter(({ name }) => !dropped.has(name));
  return { seldom, templates: kept.length === 0 ? templates : kept };
};

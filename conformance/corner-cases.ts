/**
 * The corner cases that generated programs must reach often: for each a name, what it is, and a detector that judges by
 * what a step really did. Templates bear the same names (`generate/templates.ts`).
 */
import type { Transition } from "../spec/invariants/transition.js";
import { accessCases } from "./corner-cases/accesses.js";
import { attributeCases } from "./corner-cases/attributes.js";
import { authorityCases } from "./corner-cases/authorities.js";
import { callCases } from "./corner-cases/calls.js";
import { capabilityCases } from "./corner-cases/capabilities.js";
import type { CornerCase } from "./corner-cases/case.js";
import { descriptorCases } from "./corner-cases/descriptors.js";
import { edgeCases } from "./corner-cases/edges.js";
import { Evidence } from "./corner-cases/evidence.js";
import { forkCases } from "./corner-cases/forks.js";
import { grantCases } from "./corner-cases/grants.js";
import { handlerCases } from "./corner-cases/handlers.js";
import { History } from "./corner-cases/history.js";
import { imageCases } from "./corner-cases/images.js";
import { kernelCopyCases } from "./corner-cases/kernel-copies.js";
import { pointerCases } from "./corner-cases/pointers.js";
import { processCases } from "./corner-cases/processes.js";
import { sharingCases } from "./corner-cases/sharing.js";
import { signalCases } from "./corner-cases/signals.js";

export const cornerCases = {
  ...capabilityCases,
  ...edgeCases,
  ...authorityCases,
  ...accessCases,
  ...forkCases,
  ...sharingCases,
  ...processCases,
  ...grantCases,
  ...pointerCases,
  ...descriptorCases,
  ...kernelCopyCases,
  ...callCases,
  ...handlerCases,
  ...signalCases,
  ...imageCases,
  ...attributeCases,
} as const;

export type CornerCaseName = keyof typeof cornerCases;

export const cornerCaseNames = Object.keys(cornerCases) as readonly CornerCaseName[];

export type { CornerCase } from "./corner-cases/case.js";

/** Looks out for corner cases in one program; each is reported once. */
export interface Lookout {
  /** The cases that this step was the first to reach. */
  readonly see: (transition: Transition) => readonly string[];
}

/** By operation: the cases that it can reach. */
const byOperation = (cases: Readonly<Record<string, CornerCase>>) => {
  const index = new Map<string, (readonly [string, CornerCase["reached"]])[]>();
  for (const [name, { on, reached }] of Object.entries(cases)) {
    for (const op of new Set<string>(on)) index.set(op, [...(index.get(op) ?? []), [name, reached]]);
  }
  return index;
};

/** Makes a lookout for each program that is about to start. */
export const lookoutFor = (cases: Readonly<Record<string, CornerCase>> = cornerCases): (() => Lookout) => {
  const index = byOperation(cases);
  return () => {
    const history = new History();
    const known = new Set<string>();
    return {
      see: (transition) => {
        const evidence = new Evidence(transition, history);
        const possible = index.get(transition.operation.op) ?? [];
        const reached = possible.filter(([name, isReached]) => !known.has(name) && isReached(evidence));
        for (const [name] of reached) known.add(name);
        history.add(evidence);
        return reached.map(([name]) => name);
      },
    };
  };
};

/** All defects, in the order of the catalogue, and what is not among them. */
import type { Defect, NotModelled } from "./defect.js";
import { capabilities } from "./entries/capabilities.js";
import { lifecycle } from "./entries/lifecycle.js";
import { registers } from "./entries/registers.js";
import { relocation } from "./entries/relocation.js";
import { sharing } from "./entries/sharing.js";

export const defects: readonly Defect[] = [...relocation, ...registers, ...sharing, ...lifecycle, ...capabilities];

export const notModelled: readonly NotModelled[] = [
  {
    id: "R14",
    mistake: "sealing authority is moved when its numbers fall into the region",
    reason: "in a legal configuration the object types lie below all regions, so that no program can show it",
  },
  { id: "G4", mistake: "FP/SIMD state is neither forked nor switched", reason: "the machine has no such registers" },
  {
    id: "B6",
    mistake: "a page becomes writable before its copy is complete",
    reason: "a step is atomic: nobody runs inside the handler of a fault",
  },
  ...["L8", "L9", "L10", "B12"].map((id) => ({
    id,
    mistake: "a race, or a wake-up that is lost, on several processors",
    reason: "a step is atomic: there is no interleaving inside kernel code",
  })),
];

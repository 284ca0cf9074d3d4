/** Frames and their mappings (INV-8), and how many are promised (INV-13). */
import type { Machine, PageEntry } from "../sfork/machine.js";
import { found } from "./places.js";
import { livingIn, sameBut, sameGranule, sameProtection } from "./transition.js";
import type { Violation } from "./places.js";
import type { Invariant, Scope } from "./transition.js";
import { flatMap } from "../sfork/lists.js";

const entriesOf = (
  machine: Machine,
): readonly { readonly slot: number; readonly index: number; readonly entry: PageEntry }[] =>
  flatMap(machine.regions, (region, slot) =>
    flatMap(region, (entry, index) => (entry === undefined ? [] : [{ slot, index, entry }])),
  );

/** Page tables and counts are the same as before the step: what a step kept, it need not count again. */
const sameMappings = ({ full, before, after }: Scope): boolean =>
  !full &&
  before.regions === after.regions &&
  sameBut(before.frames, after.frames, (old, now) => old?.references === now?.references);

const mappingsCounted = ({ after }: Scope): readonly Violation[] => {
  const entries = entriesOf(after);
  const counts = after.frames.map((_, index) =>
    entries.reduce((sum, { entry }) => (entry.frame === index ? sum + 1 : sum), 0),
  );
  const frames = flatMap(after.frames, (frame, index) => {
    const [references, mappings] = [frame?.references ?? 0, counts[index] ?? 0];
    const leaked = frame !== undefined && mappings === 0;
    if (references === mappings && !leaked) return [];
    const what = `counts ${references.toString()} references, and has ${mappings.toString()} mappings`;
    return [{ rule: "INV-8", where: `frame ${index.toString()}`, what }];
  });
  const slots = livingIn(after).map(({ slot }) => slot);
  const pages = flatMap(entries, ({ slot, index, entry }) => {
    const lived = slots.includes(slot);
    const open = entry.protection.write && !entry.guard && (counts[entry.frame] ?? 0) > 1;
    const absent = after.frames[entry.frame] === undefined;
    if (lived && !open && !absent) return [];
    const where = `slot ${slot.toString()} page ${index.toString()}`;
    return [
      ...(absent ? [{ rule: "INV-8", where, what: "is mapped to a frame that is not there" }] : []),
      ...(lived ? [] : [{ rule: "INV-8", where, what: "is mapped where nobody lives" }]),
      ...(open ? [{ rule: "INV-8", where, what: "can be written while others map its frame" }] : []),
    ];
  });
  return [...frames, ...pages];
};

const unlikeEager = ({ ghost, pages, granules }: Scope): readonly Violation[] =>
  ghost === undefined
    ? []
    : [
        ...pages
          .filter(({ slot, number, now }) => !sameProtection(now, ghost.regions[slot]?.[number]))
          .map((page) => found("INV-8", "is not protected as after an eager copy")({ ...page, index: 0 })),
        ...granules
          .filter(({ kind, now, eager }) => kind === "page" && !sameGranule(now, eager))
          .map(found("INV-8", "is not what an eager copy shows")),
      ];

/**
 * Reference counts are mappings, nothing is leaked, no frame with several private mappings can be written without a fault,
 * and every page shows what an eager copy shows.
 * @rule INV-8 frames @source SFork design: frames
 */
export const soundFrames: Invariant = (scope) => [
  ...(sameMappings(scope) ? [] : mappingsCounted(scope)),
  ...unlikeEager(scope),
];

/**
 * Frames in use never exceed what is committed, and that never exceeds the budget.
 * @rule INV-13 commit @source SFork design: commit accounting
 */
export const commitKept: Invariant = (scope) => {
  const { after } = scope;
  if (sameMappings(scope)) return [];
  const used = after.frames.filter((frame) => frame !== undefined).length;
  const committed = after.regions.flat().filter((entry) => entry !== undefined).length;
  const { commit, frames: budget } = after.config;
  const kept = used <= committed && (commit === "overcommit" ? used : committed) <= budget;
  const what = `uses ${used.toString()} frames, has committed ${committed.toString()} of ${budget.toString()}`;
  return kept ? [] : [{ rule: "INV-13", where: "the machine", what }];
};

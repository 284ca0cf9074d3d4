/** The image of a real process as a workload: it forks, the child follows every pointer and reads every page. */
import type { Area, StartMemory } from "../../impl/start.js";
import { imagePage, packed } from "../image/pack.js";
import type { Image } from "../image/core.js";
import type { Step } from "../../spec/sfork/operation.js";
import { InputError } from "../errors.js";
import { thread } from "./steps.js";
import { granule, type Plan } from "./workload.js";

/** A workload that starts from memory. */
export interface ImagePlan extends Plan {
  readonly memory: StartMemory;
}

/** The child starts from these; the last two it walks with. `c0` holds what the fork answers. */
const roots = { first: 1, end: 14 } as const;
const [root, target] = [14, 15];

/** How a capability to an area is reached: from a register of the child, by loads from other areas. */
interface Path {
  readonly register: number;
  /** Distances from where the area begins that was reached so far. */
  readonly loads: readonly number[];
}

const granules = imagePage / granule;

/** The pages of an area, by their number among those that are there. */
const pagesOf = ({ pages }: StartMemory, { first, count }: Area): readonly number[] => {
  const nths: number[] = [];
  for (let nth = 0; nth < pages.length; nth += 1) {
    const page = pages[nth] ?? 0;
    if (page >= first && page < first + count) nths.push(nth);
  }
  return nths;
};

/** Calls back with each pointer of a page: its granule, and the area to which it leads. */
const eachPointer = (memory: StartMemory, nth: number, call: (granule: number, area: number) => void): void => {
  const [words, areas] = [new Int32Array(granules * 2), new Int32Array(granules)];
  memory.read(nth, words, areas);
  areas.forEach((lead, at) => {
    if (lead > 0) call(at, lead - 1);
  });
};

/** Areas that pointers lead to from the registers, each by the shortest way. */
const reached = (memory: StartMemory, of: readonly (readonly number[])[]): ReadonlyMap<number, Path> => {
  const paths = new Map<number, Path>();
  memory.threads[0]?.slice(0, roots.end).forEach(({ area }, register) => {
    if (area === undefined || memory.areas[area]?.protection.read !== true) return;
    if (register >= roots.first && !paths.has(area)) paths.set(area, { register, loads: [] });
  });
  // A map keeps the order in which areas were found, and visits those that are added.
  for (const [index, { register, loads }] of paths) {
    for (const nth of of[index] ?? []) {
      const distance = ((memory.pages[nth] ?? 0) - (memory.areas[index]?.first ?? 0)) * imagePage;
      eachPointer(memory, nth, (at, area) => {
        if (paths.has(area) || memory.areas[area]?.protection.read !== true) return;
        paths.set(area, { register, loads: [...loads, distance + at * granule] });
      });
    }
  }
  return paths;
};

/** The capability to where an area begins: pointers lead into it, and their bounds are the area's. */
function* reach(actor: number, { register, loads }: Path): Generator<Step, void, void> {
  const { cmove, loadcap } = thread(actor);
  const toStart: Step = { actor, operation: { op: "csetoffset", cd: root, cs1: root, n: { immediate: 0n } } };
  yield cmove(root, register);
  yield toStart;
  for (const distance of loads) {
    yield loadcap(root, distance, root);
    yield toStart;
  }
}

/** The parent changes a word on one page in so many that the child reads. */
const changeEvery = 100;

/**
 * The child walks an image, area by area. Throws an `InputError` for an image whose registers lead nowhere, as one without notes
 * of its threads has it.
 */
export const imagePlan = (image: Image): ImagePlan => {
  const pack = packed(image, { processes: 2 });
  const { memory } = pack;
  const of = memory.areas.map((area) => pagesOf(memory, area));
  const paths = reached(memory, of);
  if (paths.size === 0) {
    const what =
      "no register of its first thread points into a mapping, so that nothing can be walked; make it with gcore";
    throw new InputError(image.file, undefined, what);
  }
  const bases = memory.areas.map(({ first }) => first * imagePage);

  const steps = function* (): Generator<Step, void, void> {
    // Threads of the image come first.
    const actor = memory.threads.length;
    const [parent, child] = [thread(0), thread(actor)];
    yield { actor: 0, operation: { op: "fork", cd: 0 } };
    let seen = 0;
    for (const [index, path] of paths) {
      yield* reach(actor, path);
      const isWritten = memory.areas[index]?.protection.write === true;
      for (const nth of of[index] ?? []) {
        const distance = (memory.pages[nth] ?? 0) * imagePage - (bases[index] ?? 0);
        const tagged = new Uint8Array(granules);
        eachPointer(memory, nth, (at) => {
          tagged[at] = 1;
        });
        for (const [at, tag] of tagged.entries())
          if (tag === 1) yield child.loadcap(target, distance + at * granule, root);
        const plain = tagged.indexOf(0);
        if (plain < 0) continue;
        yield child.load(target, distance + plain * granule, root);
        seen += 1;
        if (!isWritten || seen % changeEvery !== 0) continue;
        yield* reach(0, path);
        yield parent.store(seen, distance + plain * granule, root);
      }
    }
    yield child.exit();
    yield parent.wait();
  };
  const walked = [...paths.keys()].reduce((sum, index) => sum + (of[index]?.length ?? 0), 0);
  return {
    // Under which strategy it runs is said later.
    config: pack.configOf("eager"),
    memory,
    steps,
    notes: [
      "inferred pointer graph: a core has no tags; a word counts as a pointer where it leads into a mapping",
      `the child follows every pointer and reads a word of every page, in ${paths.size} of ${memory.areas.length} mappings that registers lead to: ${walked.toLocaleString("en")} of ${memory.pages.length.toLocaleString("en")} pages; the parent changes a word on one page in ${changeEvery} that it may write`,
    ],
  };
};

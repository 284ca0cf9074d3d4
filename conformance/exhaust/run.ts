/** A search from its start, or from where the last run ended, to a limit. */
import type { Finding } from "../check/finding.js";
import { unlessAborted } from "../check/workers.js";
import { stateKey } from "./canonical.js";
import { stateAt, type Expansion } from "./expand.js";
import { fileOf, identityOf } from "./identity.js";
import { openLog } from "./log.js";
import type { Expanders } from "./pool.js";
import { Search, type Covered } from "./search.js";
import { spaceOf, type Space, type SpaceName } from "./space.js";

export interface SearchLimits {
  /** Steps of a program, at most. */
  readonly depth: number;
  /** Different findings. */
  readonly findings: number;
  /** Milliseconds, of `Date.now`. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

/** How far a search is. */
export interface Reached {
  readonly depth: number;
  readonly states: number;
  readonly next: number;
  /** Steps that this run judged. */
  readonly judged: number;
  readonly milliseconds: number;
}

/** What was found, and in how many transitions the same showed. */
interface FoundInSearch {
  readonly finding: Finding;
  readonly transitions: number;
}

export interface SearchResult {
  readonly space: Space;
  readonly covered: Covered;
  readonly found: readonly FoundInSearch[];
  /** Transitions that an earlier run had judged. */
  readonly resumed: number;
  readonly judged: number;
  readonly seconds: number;
}

export interface SearchListener {
  /** A finding unlike all before; `isNew`: it is not of an earlier run. */
  readonly found: (finding: Finding, isNew: boolean) => void;
  readonly reached: (reached: Reached) => void;
}

export interface SearchPlan {
  readonly name: SpaceName;
  /** The name of what is judged. */
  readonly implementation: string;
  /** Where it is kept; undefined if it is not. */
  readonly folder: string | undefined;
  readonly fresh: boolean;
  readonly limits: SearchLimits;
}

/** States of a task: enough that handing them over costs little. */
const chunk = 8;

/** Findings by what they have in common. */
const tallyOf = (told: SearchListener["found"]) => {
  const found = new Map<string, { readonly finding: Finding; transitions: number }>();
  return {
    add: ({ found: all }: Expansion, isNew: boolean): void => {
      for (const { finding } of all) {
        const before = found.get(finding.key);
        if (before !== undefined) {
          before.transitions += 1;
          continue;
        }
        found.set(finding.key, { finding, transitions: 1 });
        told(finding, isNew);
      }
    },
    count: (): number => found.size,
    all: (): readonly FoundInSearch[] => [...found.values()],
  };
};

/** Expansions in the order of their states, up to a depth or until it is asked for no more. */
async function* expansions(
  search: Search,
  { count, expand }: Expanders,
  { depth, deadline, signal }: SearchLimits,
): AsyncGenerator<Expansion, void, void> {
  const ahead: Promise<readonly Expansion[]>[] = [];
  let asked = search.next;
  const isWanted = (state: number): boolean => state < search.states && search.depthOf(state) < depth;
  const more = (): void => {
    while (ahead.length < 2 * count && isWanted(asked) && Date.now() < deadline) {
      const states: number[] = [];
      for (; states.length < chunk && isWanted(asked); asked += 1) states.push(asked);
      const answer = expand(
        search.space,
        states.map((state) => search.pathTo(state)),
      );
      // Whoever stops before it comes is not told any more.
      answer.catch(() => undefined);
      ahead.push(answer);
    }
  };
  for (;;) {
    more();
    const next = ahead.shift();
    if (next === undefined) return;
    const answer = await unlessAborted(next, signal);
    if (answer === undefined) return;
    for (const expansion of answer) yield expansion;
  }
}

export const runSearch = async (
  { name, implementation, folder, fresh, limits }: SearchPlan,
  expanders: Expanders,
  listener: SearchListener,
): Promise<SearchResult> => {
  const space = spaceOf(name);
  const search = new Search(space, stateKey(stateAt(space, [])));
  const tally = tallyOf(listener.found);
  const identity = identityOf(space, implementation);
  const file = folder === undefined ? undefined : `${folder}/${fileOf(space, implementation, identity)}`;
  const log =
    file === undefined
      ? undefined
      : openLog({ file, identity, fresh }, space, search, (one) => {
          tally.add(one, false);
        });
  const resumed = search.transitions;
  const started = performance.now();
  try {
    for await (const expansion of expansions(search, expanders, limits)) {
      log?.append(search.next, expansion);
      search.add(expansion);
      tally.add(expansion, true);
      const judged = search.transitions - resumed;
      const milliseconds = performance.now() - started;
      const { states, next } = search;
      listener.reached({ depth: search.depthOf(next - 1) + 1, states, next, judged, milliseconds });
      if (tally.count() >= limits.findings) break;
    }
  } finally {
    log?.close();
  }
  const seconds = (performance.now() - started) / 1000;
  const judged = search.transitions - resumed;
  return { space, covered: search.covered(), found: tally.all(), resumed, judged, seconds };
};

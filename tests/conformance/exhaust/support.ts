/** What the tests of searches share: small spaces, made of a few lines. */
import { completeConfig, type Config } from "../../../spec/sfork/config.js";
import type { Create } from "../../../conformance/check/campaign.js";
import { operationsOf } from "../../../conformance/exhaust/alphabet.js";
import { stateKey } from "../../../conformance/exhaust/canonical.js";
import { createExpand, stateAt } from "../../../conformance/exhaust/expand.js";
import { Search } from "../../../conformance/exhaust/search.js";
import type { Space } from "../../../conformance/exhaust/space.js";
import { createFast } from "../../../impl/fast/index.js";

export const spaceWith = (operations: readonly string[], given: Partial<Config> = {}): Space => {
  const config = completeConfig({ page: 256, pages: 4, processes: 2, slots: 2, frames: 8, pipe: 4, ...given });
  if ("illegal" in config) throw new Error(config.illegal);
  const { format, strategy, processes } = config;
  const name = { alphabet: "own", format, strategy, processes };
  return { name, config, operations: operationsOf({ name: "own", what: "", operations: () => operations }, config) };
};

/** Everything up to a depth. */
export const searched = (space: Space, depth: number, create: Create = createFast): Search => {
  const expand = createExpand(space, create);
  const search = new Search(space, stateKey(stateAt(space, [])));
  while (search.next < search.states && search.depthOf(search.next) < depth) {
    search.add(expand(search.pathTo(search.next)));
  }
  return search;
};

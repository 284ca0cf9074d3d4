/** Findings of earlier runs, run again before anything else: which of them still show. */
import type { CampaignSettings } from "./campaign.js";
import type { Finding } from "./finding.js";
import type { Kept } from "./store.js";
import { answers, type Until, type Workers } from "./workers.js";

export interface Regression {
  readonly file: string;
  /** The rule that is broken; where it holds now, the one that was, if the file says so. */
  readonly rule: string | null;
  readonly held: boolean;
  /** What shows. */
  readonly finding: Finding | undefined;
}

/** In their order, up to the last of them or until it is asked for no more. */
export async function* regressions(
  workers: Workers,
  settings: CampaignSettings,
  kept: readonly Kept[],
  until: Until = {},
): AsyncGenerator<Regression, void, void> {
  for await (const { judged } of answers(workers, settings, kept, until)) {
    for (const { index, file = "", verdict } of judged) {
      const { finding } = verdict;
      const rule = finding?.rule ?? kept[index]?.rule ?? null;
      yield { file, rule, held: finding === undefined, finding };
    }
  }
}

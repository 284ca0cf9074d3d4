/** From a finding to its files: on disk as it was found, then made smaller, and on disk again. */
import { InputError } from "../errors.js";
import type { CampaignSettings, Found } from "./campaign.js";
import { saveRaw, saveSmaller } from "./store.js";
import { unlessAborted, type Workers } from "./workers.js";

/** A finding as small as it became, where that was saved, and where it was saved as it was found. */
export interface SavedFound {
  readonly found: Found;
  readonly path: string | undefined;
  readonly raw: string | undefined;
  /** It was asked for no more before it was as small as it would have become. */
  readonly cutShort: boolean;
}

export interface Keeper {
  readonly folder: string;
  readonly settings: CampaignSettings;
  readonly workers: Workers;
  /** Why something could not be saved. */
  readonly complain: (error: InputError) => void;
  readonly signal?: AbortSignal;
}

const unlessRefused = ({ complain }: Keeper, save: () => string): string | undefined => {
  try {
    return save();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    complain(error);
    return undefined;
  }
};

/** Save a finding as it was found; the path, if that could be done. Nothing else is done with it before. */
export const keepRaw = (keeper: Keeper, found: Found): string | undefined =>
  unlessRefused(keeper, () => saveRaw(keeper.folder, keeper.settings, found));

/** Make a finding smaller, and save that beside what was saved before. */
export const keepSmaller = async (keeper: Keeper, first: Found, raw: string | undefined): Promise<SavedFound> => {
  const { folder, settings, workers, signal } = keeper;
  if (first.finding.kind === "worker") return { found: first, path: raw, raw, cutShort: false };
  // If a smaller one ends the worker, it stays as it was found.
  const found = await unlessAborted(
    workers.minimise({ settings, found: first }).catch(() => first),
    signal,
  );
  if (found === undefined) return { found: first, path: raw, raw, cutShort: true };
  const isSmaller = raw !== undefined && found !== first && found.finding.kind !== "flaky";
  const path = isSmaller ? unlessRefused(keeper, () => saveSmaller(folder, raw, settings, found)) : undefined;
  return { found, path: path ?? raw, raw, cutShort: false };
};

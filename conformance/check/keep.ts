/** From a finding to its files: on disk as it was found, then made smaller, and on disk again. */
import { InputError } from "../errors.js";
import { became, type CampaignSettings, type Found } from "./campaign.js";
import { saveRaw, saveSmaller } from "./store.js";
import { unlessAborted, type Workers } from "./workers.js";

/** A finding as small as it became, where that was saved, and where it was saved as it was found. */
export interface SavedFound {
  readonly found: Found;
  readonly path: string | undefined;
  readonly raw: string | undefined;
  /** It was asked for no more before it was as small as it would have become. */
  readonly cutShort: boolean;
  /** No step can be left out. */
  readonly minimal: boolean;
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

/** Make a finding smaller, until then (milliseconds, of `Date.now`), and save that beside what was saved before. */
export const keepSmaller = async (
  keeper: Keeper,
  first: Found,
  raw: string | undefined,
  until: number,
): Promise<SavedFound> => {
  const { folder, settings, workers, signal } = keeper;
  const result = await unlessAborted(workers.minimise({ settings, found: first, until }), signal);
  if (result === undefined) return { found: first, path: raw, raw, cutShort: true, minimal: false };
  const found = became(first, result);
  const isSmaller = raw !== undefined && result.kind === "small";
  const path = isSmaller ? unlessRefused(keeper, () => saveSmaller(folder, raw, settings, found)) : undefined;
  return { found, path: path ?? raw, raw, cutShort: false, minimal: result.kind === "small" && result.minimal };
};

/** What runs in a worker thread: a task is a batch, or a finding to be made smaller. Piscina gives a task and no more. */
import { loadDefect } from "../defects/load.js";
import { judgeBatch, minimise as smallest, type Answer, type Batch, type Minimisation } from "./batch.js";
import { isDefective, type AnySettings, type Create } from "./campaign.js";
import type { Minimised } from "./minimise.js";

/** Defects that this thread has loaded. */
const loaded = new Map<string, Promise<Create>>();

const ready = async (settings: AnySettings): Promise<AnySettings> => {
  const { impl } = settings;
  if (!isDefective(impl)) return settings;
  const create = loaded.get(impl.defect) ?? loadDefect(impl.defect);
  loaded.set(impl.defect, create);
  return { ...settings, impl: await create };
};

export default async (batch: Batch): Promise<Answer> => judgeBatch({ ...batch, settings: await ready(batch.settings) });

export const minimise = async (task: Minimisation): Promise<Minimised> =>
  smallest({ ...task, settings: await ready(task.settings) });

/** What runs in a worker thread: states, by the paths to them, are expanded. Piscina gives a task and no more. */
import { noteProgram, noteStep } from "../check/pulse.js";
import type { Create } from "../check/campaign.js";
import { loadDefect } from "../defects/load.js";
import { implementations } from "../implementations/index.js";
import { createExpand, type Expand, type Expansion } from "./expand.js";
import type { Task } from "./pool.js";
import { spaceOf } from "./space.js";

/** What this thread has made ready: it is told the same space again and again. */
const ready = new Map<string, Promise<Expand>>();

const createOf = async (defect: string | undefined): Promise<Create> =>
  defect === undefined ? implementations.fast : await loadDefect(defect);

const expandOf = ({ space, defect }: Task): Promise<Expand> => {
  const name = JSON.stringify([space, defect]);
  const made = ready.get(name) ?? createOf(defect).then((create) => createExpand(spaceOf(space), create));
  ready.set(name, made);
  return made;
};

export default async (task: Task): Promise<readonly Expansion[]> => {
  const { paths, lost, pulse } = task;
  const expand = await expandOf(task);
  return paths.map((path, nth) => {
    noteProgram(pulse, nth);
    return expand(path, {
      begun: (step) => {
        noteStep(pulse, step);
      },
      lost: lost.filter((one) => one.nth === nth).map(({ step }) => step),
    });
  });
};

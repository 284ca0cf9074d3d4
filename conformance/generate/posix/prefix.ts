/** How much of a program, wherever it comes from, a real kernel can be expected to do as the specification says. */
import { formats } from "../../../spec/cheri/index.js";
import type { Config } from "../../../spec/sfork/config.js";
import type { Step } from "../../../spec/sfork/operation.js";
import { Model } from "../model.js";
import { isExecutable } from "./executable.js";

/** Pages that a kernel can map, and no limit that it has not. */
const isReal = ({ page, pages, processes, slots, frames, commit }: Config): boolean =>
  page % 4096 === 0 && slots >= processes && frames >= processes * pages && commit === "reserve";

/** The number of steps up to the first that is outside the posix profile, by the generator's own account of the machine. */
export const executableSteps = (config: Config, steps: readonly Step[]): number => {
  if (!isReal(config)) return 0;
  const { addressBits, granule } = formats[config.format];
  const model = new Model(config, Number(addressBits) / 8, Number(granule));
  const first = steps.findIndex(({ actor, operation }) => {
    if (!isExecutable(model, actor, operation)) return true;
    model.take(actor, operation);
    return false;
  });
  return first === -1 ? steps.length : first;
};

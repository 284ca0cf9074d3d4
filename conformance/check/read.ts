/** Program files that are to be judged: read, completed, and of a strategy that the implementation has. */
import { isLeft, left, right, type Either } from "fp-ts/lib/Either.js";
import { InputError } from "../errors.js";
import { strategiesOf } from "../implementations/index.js";
import { readProgram } from "../program/file.js";
import { configOf } from "../program/trace.js";
import type { CampaignSettings } from "./campaign.js";
import type { CompleteProgram } from "./finding.js";

/** `-` is standard input. */
export const readCompleteProgram = async (
  file: string,
  impl: CampaignSettings["impl"],
): Promise<Either<InputError, CompleteProgram>> => {
  const source = await readProgram(file);
  if (isLeft(source)) return source;
  const config = configOf(source.right, file);
  if (isLeft(config)) return config;
  const { strategy } = config.right;
  if (impl !== "spec-lazy" && !strategiesOf[impl].includes(strategy)) {
    const message = `${impl} does not have strategy ${strategy}; choose another --impl, or some of ${strategiesOf[impl].join(", ")}`;
    return left(new InputError(file, source.right.lineOf("config"), message));
  }
  const { version, steps } = source.right.program;
  return right({ version, config: config.right, steps });
};

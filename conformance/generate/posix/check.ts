/** What says of one operation whether a real kernel executes it alike. */
import type { OperationName, OperationOf } from "../../../spec/sfork/operation.js";
import type { Thread } from "../model/life.js";
import type { Model } from "../model.js";

export type ExecutableCheck<Name extends OperationName> = (
  model: Model,
  thread: Thread,
  operation: OperationOf<Name>,
) => boolean;

/** An operation without a check is not in the profile. */
export type ExecutableChecks = { readonly [Name in OperationName]?: ExecutableCheck<Name> };

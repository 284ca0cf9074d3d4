/** What one operation does to the world of a program in the making. */
import type { OperationName, OperationOf } from "../../../spec/sfork/operation.js";
import type { Thread } from "./life.js";
import type { World } from "./world.js";

export type Effect<Name extends OperationName> = (world: World, thread: Thread, operation: OperationOf<Name>) => void;

export type Effects = { readonly [Name in OperationName]?: Effect<Name> };

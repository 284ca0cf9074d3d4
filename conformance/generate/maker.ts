/** Makes a step of one operation, with operands that suit it. */
import type { Operation, OperationName } from "../../spec/sfork/operation.js";
import type { Scene } from "./scene.js";

export type Maker = (scene: Scene) => Operation;

export type Makers = Readonly<Record<OperationName, Maker>>;

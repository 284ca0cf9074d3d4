/**
 * The legalising rules of the RISC-V text: which permissions may stand without which others. `andPermissions` does not
 * use them (CAP-4: it answers as the vectors do, where a set without an encoding loses its architectural permissions);
 * they are here for a user whose machine follows the text.
 */
import type { FormatName } from "../capability.js";
import { permissionMask, type Permission } from "../permissions.js";
import { permissionBits } from "./rvy.js";

type Has = (word: Permission) => boolean;

/** A permission, and what must hold for it to stay. */
type LegalRule = readonly [permission: Permission, stays: (has: Has) => boolean];

/** RVY, "YPERMC base rules" and "YPERMC permission rules for Zylevels1". */
const wide: readonly LegalRule[] = [
  ["load-cap", (has) => has("load") || has("store")],
  ["mutable-load", (has) => has("load-cap") && has("load")],
  ["system", (has) => has("execute")],
  ["elevate-level", (has) => has("load-cap") && has("load")],
  ["store-local", (has) => has("load-cap") && has("store")],
];

const loads = (has: Has): boolean => has("load-cap") && has("mutable-load") && has("elevate-level");
const touches = (has: Has): boolean =>
  has("load-cap") || has("mutable-load") || has("elevate-level") || has("store-local");

/** The same for the compressed field of RV32Y with Zylevels1: RV32-base-1 to 5, RV32-l1-1 to 4, RV32-base-6 and 7. */
const compressed: readonly LegalRule[] = [
  ["load-cap", (has) => has("load")],
  ["execute", (has) => has("load")],
  ["store", (has) => !has("load-cap") || has("mutable-load")],
  ["execute", (has) => has("store") || has("load-cap")],
  ["mutable-load", (has) => has("load-cap")],
  ["mutable-load", (has) => has("store") || has("elevate-level")],
  ["elevate-level", (has) => has("mutable-load")],
  ["store-local", (has) => has("mutable-load") && has("store")],
  ["execute", (has) => (loads(has) && has("store-local")) || (loads(has) && !has("store")) || !touches(has)],
  ["execute", (has) => has("load-cap") === has("mutable-load")],
  ["system", (has) => has("store") && has("load-cap") && has("execute")],
];

/**
 * What remains of a permission word after the rules, applied once, in order. (The code of `rvy64` for X R C LM EL grants
 * SL besides in this codec, as in the vectors; the present text has no SL there.)
 * @rule CAP-4 legalise @source RVY, tables "YPERMC base rules", "YPERMC permission rules for Zylevels1" and those of RV32LYA
 */
export const legalisePermissions = (format: Extract<FormatName, "rvy128" | "rvy64">, permissions: bigint): bigint =>
  (format === "rvy128" ? wide : compressed).reduce((set, [word, stays]) => {
    const bit = permissionMask(permissionBits, [word]);
    return stays((other) => (set & permissionMask(permissionBits, [other])) !== 0n) ? set : set & ~bit;
  }, permissions);

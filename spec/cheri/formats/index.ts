/** The six formats, by name. */
import type { CapabilityFormat, FormatName } from "../capability.js";
import { cheri128v9 } from "./cheri128-v9.js";
import { cheri64v9 } from "./cheri64-v9.js";
import { morello } from "./morello.js";
import { rvy128 } from "./rvy128.js";
import { rvy64 } from "./rvy64.js";
import { uncompressed256 } from "./uncompressed256.js";

export const formats: Readonly<Record<FormatName, CapabilityFormat>> = {
  "cheri128-v9": cheri128v9,
  "cheri64-v9": cheri64v9,
  morello,
  rvy128,
  rvy64,
  uncompressed256,
};

/** The codecs of all formats. Rule CAP-1 for each; the shape is in `types`. */

import { codec as cheri128v9 } from "./cheri128-v9.js";
import { codec as cheri64v9 } from "./cheri64-v9.js";
import { codec as morello } from "./morello.js";
import { codec as rvy128 } from "./rvy128.js";
import { codec as rvy64 } from "./rvy64.js";
import type { FastCodec, FormatName } from "./types.js";
import { codec as uncompressed256 } from "./uncompressed256.js";

export const codecs: Readonly<Record<FormatName, FastCodec>> = {
  "cheri128-v9": cheri128v9,
  "cheri64-v9": cheri64v9,
  morello,
  rvy128,
  rvy64,
  uncompressed256,
};

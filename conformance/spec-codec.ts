/** The specification behind the codec interface. */
import {
  andPermissions,
  fastRepresentable,
  formats,
  isSealed,
  preciselyRepresentable,
  relocate,
  representableAlignmentMask,
  representableLength,
  requestBounds,
  rootCapability,
  setFlags,
  type Capability,
  type FormatName,
} from "../spec/cheri/index.js";
import type { Codec, Word } from "./codec.js";

const capability = (format: FormatName, word: Word): Capability => formats[format].decode(word, word.tag);

const word = ({ metadata, address, tag }: Capability): Word => ({ metadata, address, tag });

export const specCodec: Codec = {
  name: "spec",
  root: (format) => word(rootCapability(formats[format])),
  decode: (format, from) => {
    const { base, top, permissions, otype, flags } = capability(format, from);
    const bounds = formats[format].decodeBounds(from.metadata, from.address);
    return {
      base,
      top,
      permissions,
      otype,
      flags,
      reserved: formats[format].reservedBits(from.metadata),
      exponent: bounds.exponent,
      internalExponent: bounds.internalExponent,
      boundsValid: bounds.valid,
    };
  },
  encode: (format, fields) => formats[format].encode(fields),
  setBounds: (format, from, length) => {
    const result = requestBounds(formats[format], capability(format, from), length);
    return { ...word(result.capability), exact: result.exact };
  },
  representable: (format, from, address) => ({
    fast: fastRepresentable(formats[format], capability(format, from), address),
    precise: preciselyRepresentable(formats[format], capability(format, from), address),
  }),
  setAddress: (format, from, address, check) => {
    const parent = capability(format, from);
    const asks = check === "fast" ? fastRepresentable : preciselyRepresentable;
    const tag = from.tag && !isSealed(formats[format], parent) && asks(formats[format], parent, address);
    return { metadata: from.metadata, address, tag };
  },
  andPermissions: (format, from, mask) => {
    const parent = capability(format, from);
    return {
      ...word(andPermissions(formats[format], parent, mask)),
      encodable: formats[format].withPermissions(parent.metadata, parent.permissions & mask).exact,
    };
  },
  withOtype: (format, from, otype) => ({ ...from, metadata: formats[format].withOtype(from.metadata, otype) }),
  setFlags: (format, from, flags) => word(setFlags(formats[format], capability(format, from), flags)),
  relocate: (format, from, delta) => {
    const moved = relocate(formats[format], capability(format, from), delta);
    return { ...word(moved.capability), exact: moved.exact, boundsExact: moved.boundsExact };
  },
  representableLength: (format, length) => representableLength(formats[format], length),
  alignmentMask: (format, length) => representableAlignmentMask(formats[format], length),
};

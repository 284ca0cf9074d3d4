/** What a property says, as a statement with the numbers that it is about. */
import type fc from "fast-check";
import type { Codec, Decoded, Word } from "../../conformance/codec.js";
import type { FormatName } from "../../spec/cheri/index.js";
import { geometries } from "./geometry.js";

export type Property = fc.IRawProperty<unknown, false>;

/** A property of a codec in a format. It is a function of both, so that it can also be asked of codecs with a mistake. */
export interface Law {
  readonly title: string;
  readonly runs: number;
  readonly seed: number;
  readonly property: (codec: Codec, format: FormatName) => Property;
}

/** Numbers in hex, other things by their parts. */
export const print = (value: unknown): string => {
  if (typeof value === "bigint") return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([key, part]) => `${key}=${print(part)}`)
    .join(" ");
};

/** A statement that must hold; the failure names it and shows the numbers. */
export function claim(what: string, holds: boolean, shown: () => object): asserts holds {
  if (!holds) throw new Error(`not so: ${what}\n  ${print(shown())}`);
}

/** The numbers of a word, by name, for `claim`. */
export const numbers = (name: string, codec: Codec, format: FormatName, word: Word): object => {
  const { base, top } = codec.decode(format, word);
  const { metadata, address, tag } = word;
  return Object.fromEntries(
    Object.entries({ metadata, address, tag, base, top }).map(([key, value]) => [`${name}.${key}`, value]),
  );
};

export const isSealed = (format: FormatName, { otype }: Decoded): boolean => otype !== geometries[format].unsealed;

/** All bits of `inner` are in `outer`. */
export const subset = (inner: bigint, outer: bigint): boolean => (inner & ~outer) === 0n;

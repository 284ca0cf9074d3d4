/**
 * The five permission bits of `rvy64`: a quadrant (upper two bits) and a value (lower three), and the sets they stand for.
 *
 * Rule CAP-4. Source: RISC-V CHERI specification, on the encoding of architectural permissions for 32 bits, one level bit.
 * In quadrant 1 the lowest bit is the mode, and a set is encoded by the even value. Every other value is reserved, and is
 * the empty set.
 */

const W = 1 << 0;
const LM = 1 << 1;
const EL = 1 << 2;
const SL = 1 << 3;
const C = 1 << 5;
const ASR = 1 << 16;
const X = 1 << 17;
const R = 1 << 18;

const quadrant = (q: number, v: number): number => (q << 3) | v;

/**
 * Value, the set that it stands for, and the permissions whose presence is not looked at when a set is encoded: a set that
 * differs in those alone becomes this one.
 */
const encodings: readonly (readonly [value: number, set: number, unseen: number])[] = [
  [quadrant(0, 0), 0, LM | EL | SL],
  [quadrant(0, 1), R, LM | EL | SL],
  [quadrant(0, 4), W, LM | EL | SL],
  [quadrant(0, 5), R | W, LM | EL | SL],
  [quadrant(1, 0), X | R | W | C | LM | EL | SL | ASR, EL | SL],
  [quadrant(1, 2), X | R | C | LM | EL | SL, EL | SL],
  [quadrant(1, 4), X | R | W | C | LM | EL | SL, EL | SL],
  [quadrant(1, 6), X | R | W, EL | SL],
  [quadrant(2, 3), R | C, 0],
  [quadrant(2, 6), R | W | C | LM | SL, 0],
  [quadrant(2, 7), R | W | C | LM, 0],
  [quadrant(3, 3), R | C | LM | EL, 0],
  [quadrant(3, 6), R | W | C | LM | EL | SL, 0],
  [quadrant(3, 7), R | W | C | LM | EL, 0],
];

/** The set, in the numbering of permissions, by the five bits. */
export const permissionsOf = new Int32Array(32);

/** The five bits, with mode 0, by `setIndex`; -1 where the set has no encoding. */
export const encodingOf = new Int8Array(256).fill(-1);

/** The eight permissions of a set side by side: W LM EL SL C ASR X R, from the lowest. */
export function setIndex(permissions: number): number {
  return (permissions & 0xf) | ((permissions >>> 1) & 0x10) | ((permissions >>> 11) & 0xe0);
}

for (const [value, set, unseen] of encodings) {
  permissionsOf[value] = set;
  if (value >>> 3 === 1) permissionsOf[value | 1] = set;
  const indexOfUnseen = setIndex(unseen);
  for (let index = 0; index < 256; index++) {
    if ((index & ~indexOfUnseen) === (setIndex(set) & ~indexOfUnseen)) encodingOf[index] = value;
  }
}

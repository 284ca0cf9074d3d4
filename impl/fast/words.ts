/** Numbers of 64 bits as two 32-bit halves. Nothing here allocates; upper halves may be int32 or uint32. */

/** a < b, both unsigned. */
export function below(aLo: number, aHi: number, bLo: number, bHi: number): boolean {
  return aHi >>> 0 === bHi >>> 0 ? aLo >>> 0 < bLo >>> 0 : aHi >>> 0 < bHi >>> 0;
}

/** Upper half of a sum whose lower halves are added, too. */
export function addHi(aLo: number, aHi: number, bLo: number, bHi: number): number {
  return (aHi + bHi + +((aLo >>> 0) + (bLo >>> 0) > 0xffffffff)) | 0;
}

/** Upper half of a difference. */
export function subHi(aLo: number, aHi: number, bLo: number, bHi: number): number {
  return (aHi - bHi - +(aLo >>> 0 < bLo >>> 0)) | 0;
}

/** Upper half of a whole number below 2^53. */
export function hiOf(value: number): number {
  return Math.floor(value / 0x100000000) | 0;
}

/** Halves as a number; exact below 2^53, of the right size above. */
export function numberOf(lo: number, hi: number): number {
  return (hi >>> 0) * 0x100000000 + (lo >>> 0);
}

/** A seeded generator that is cheap enough for millions of words: sfc32, from the public-domain PractRand. */
export interface Random {
  /** 32 bits. */
  readonly half: () => number;
  /** Uniform, `bits` wide. */
  readonly bits: (bits: number) => bigint;
  /** A whole number below `limit`. */
  readonly below: (limit: number) => number;
  readonly chance: (oneIn: number) => boolean;
}

export const seededRandom = (seed: number, stream: number): Random => {
  let a = seed | 0;
  let b = stream | 0;
  let c = 0x9e37_79b9 | 0;
  let counter = 1;
  const half = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // The first numbers of similar seeds are similar.
  for (let i = 0; i < 15; i += 1) half();
  const bits = (width: number): bigint => {
    let value = BigInt(half());
    for (let have = 32; have < width; have += 32) value = (value << 32n) | BigInt(half());
    return BigInt.asUintN(width, value);
  };
  const below = (limit: number): number => half() % limit;
  return { half, bits, below, chance: (oneIn) => below(oneIn) === 0 };
};

/** CFG-1: what a configuration gets where it does not say, and which ones are refused. */
import { expect, test } from "vitest";
import { completeConfig, type Config } from "../../../spec/sfork/config.js";
import type { FormatName } from "../../../spec/cheri/index.js";

/**
 * For a region of 8 pages of 0x100 bytes. The alignment is half of 0x800 on v9 and Morello, at least 2^(MW-3): 0x800, 0x400
 * and 0x2000; elsewhere bounds of 0x800 bytes need less than a page. Base: two alignments; stride: region and guard.
 */
const least: Readonly<Record<FormatName, Pick<Config, "base" | "stride">>> = {
  "cheri128-v9": { base: 0x1000n, stride: 0x1000n },
  "cheri64-v9": { base: 0x800n, stride: 0xc00n },
  morello: { base: 0x4000n, stride: 0x2000n },
  rvy128: { base: 0x200n, stride: 0x900n },
  rvy64: { base: 0x200n, stride: 0x900n },
  uncompressed256: { base: 0x200n, stride: 0x900n },
};

const defaults: Omit<Config, "format" | "base" | "stride"> = {
  strategy: "eager",
  page: 256,
  pages: 8,
  guard: 256,
  slots: 16,
  processes: 8,
  frames: 512,
  commit: "reserve",
  reuse: "revoke",
  shared: 1,
  pipe: 64,
  channel: 4,
};

test("CFG-1 defaults: what is left out has a default, stride and base the least that is legal in the format", () => {
  expect(completeConfig({})).toEqual({ ...defaults, format: "cheri128-v9", ...least["cheri128-v9"] });
  for (const format of Object.keys(least) as readonly FormatName[]) {
    expect(completeConfig({ format })).toEqual({ ...defaults, format, ...least[format] });
  }
  // What is given stays; the guard of a page follows the page.
  const given = { base: 0x8000n, stride: 0x4000n, strategy: "copa", slots: 3, processes: 2 } as const;
  expect(completeConfig(given)).toEqual({ ...defaults, format: "cheri128-v9", ...given });
  expect(completeConfig({ page: 512 })).toMatchObject({ guard: 512, base: 0x1000n, stride: 0x1800n });
  // Sizes that no machine has.
  const refused: readonly (readonly [given: Partial<Config>, clause: string])[] = [
    [{ page: 128 }, "page is a power of two, at least 256"],
    [{ page: 300 }, "page is a power of two, at least 256"],
    [{ pages: 3 }, "a region has at least 4 pages"],
    [{ processes: 0 }, "there is at least one process"],
    [{ slots: 7 }, "there are at least as many slots as processes"],
    [{ frames: 5 }, "the frames suffice for the pages of process 0"],
    [{ channel: 0 }, "shared, pipe and channel are at least 1"],
  ];
  for (const [given, clause] of refused) expect(completeConfig(given)).toEqual({ illegal: clause });
});

test("CFG-1 places: regions are exact and aligned where they lie, apart from each other, and low enough", () => {
  const exact = "a region and its code, data and stack are exactly representable";
  const refused: readonly (readonly [given: Partial<Config>, clause: string])[] = [
    [{ guard: 255 }, "the guard is at least one page"],
    // Neither length is a multiple of 0x400: exponents 7 in both formats, of which the mantissa gives 3 bits away.
    [{ pages: 2049, frames: 4096 }, exact],
    [{ format: "cheri64-v9", pages: 33 }, exact],
    [{ stride: 0x800n }, "the stride is at least a region and its guard"],
    [{ stride: 0x1000n, guard: 0x900 }, "the stride is at least a region and its guard"],
    [{ stride: 0x1100n }, "the stride is a multiple of 2048"],
    [{ format: "morello", stride: 0x1000n }, "the stride is a multiple of 8192"],
    [{ base: 0x1100n }, "the base is a multiple of 2048"],
    [{ base: 0x800n }, "the base is at least 4096"],
    [{ base: 0n }, "the base is at least 4096"],
    // 16 strides of 0x1000 or 0xc00 bytes, or 0x2000 on Morello.
    [{ base: (1n << 63n) - 0x10000n }, "everything ends below 0x8000000000000000"],
    [{ format: "cheri64-v9", base: 0x8000_0000n - 0xc000n }, "everything ends below 0x80000000"],
    [{ format: "morello", base: (1n << 55n) - 0x20000n }, "everything ends below 0x80000000000000"],
  ];
  for (const [given, clause] of refused) expect(completeConfig(given), clause).toEqual({ illegal: clause });
  const legal: readonly Partial<Config>[] = [
    { guard: 0x800 },
    { pages: 2052, frames: 4096 },
    { pages: 33 },
    { format: "rvy128", stride: 0x900n },
    { base: (1n << 63n) - 0x11000n },
    { base: 1n << 55n },
  ];
  for (const given of legal) expect(completeConfig(given)).toMatchObject(given);
});

/**
 * REF-4: the optimised implementation observes what the specification's level of the same strategy observes, shows the same
 * views and counts the same.
 *
 * More programs: SFORK_PROGRAMS=20000 npx vitest run tests/impl/fast/agree.test.ts
 */
import { describe, expect, test } from "vitest";
import { lockstep } from "../../../conformance/check/lockstep.js";
import { generate } from "../../../conformance/generate/generate.js";
import type { GenerateOptions } from "../../../conformance/generate/options.js";
import { createSpec } from "../../../conformance/implementations/spec.js";
import { formatNames } from "../../../conformance/program/config-codec.js";
import { createFast, fastBaselines, fastStrategies } from "../../../impl/fast/index.js";
import { completeConfig, type Config } from "../../../spec/sfork/config.js";
import { lines, read } from "../../conformance/program/files.js";

const programs = Number(process.env["SFORK_PROGRAMS"] ?? 240);

/** A program that differs, by its index and what differs; programs run on a changed configuration, if one is given. */
const differences = (
  seed: string,
  options: GenerateOptions,
  count: number,
  change: (config: Config) => Config = (config) => config,
): readonly unknown[] =>
  Array.from({ length: count }, (_, index) => {
    const { config: generated, steps } = generate(seed, index, options);
    const config = change(generated);
    const { difference } = lockstep(createSpec(config), createFast(config), steps, { full: index % 20 === 0 });
    return difference === undefined ? [] : [{ index, difference }];
  }).flat();

const complete = (given: Partial<Config>): Config => {
  const config = completeConfig(given);
  if ("illegal" in config) throw new Error(config.illegal);
  return config;
};

describe.each([...fastStrategies, ...fastBaselines])("%s", (strategy) => {
  test.each(formatNames)("on %s", (format) => {
    const count = Math.ceil(programs / 24);
    expect(differences("agree", { formats: [format], strategies: [strategy] }, count)).toEqual([]);
  });
});

test("what a real kernel could execute", () => {
  const options = { strategies: fastStrategies, profile: "posix" } as const;
  expect(differences("posix", options, Math.ceil(programs / 8))).toEqual([]);
});

test("few frames, and more promised than there are", () => {
  // A fork, a write, a handler, munmap: each can be the one for which there is no frame.
  let ends = 0;
  const scarce = (config: Config): Config => {
    const frames = Math.max(Math.floor(config.pages / 2) + 3, config.pages);
    return complete({ ...config, commit: "overcommit", frames });
  };
  const options = { strategies: [...fastStrategies, ...fastBaselines] } as const;
  expect(differences("scarce", options, programs, scarce)).toEqual([]);
  for (let index = 0; index < programs; index += 1) {
    const { config, steps } = generate("scarce", index, options);
    const fast = createFast(scarce(config));
    for (const step of steps) {
      fast.step(step);
      if (fast.observed().observation.kind === "out-of-frames") ends += 1;
    }
  }
  expect(ends).toBeGreaterThan(programs / 20);
});

describe("a step for which there is no frame leaves no trace", () => {
  /** Two pages more than the start needs. */
  const config = complete({ frames: 8, commit: "overcommit", strategy: "coa" });

  test.each([
    [
      "a handler, whose counter is on a shared page",
      [
        "0: sigaction 10, handler c3, c1",
        "0: fork c7",
        "0: mmap c8, 0x200, rw",
        "0: kill P0, 10",
        "0: li c9, 1",
        "0: sigpending",
        "1: exit 0",
        "0: li c9, 2",
      ],
      4,
    ],
    [
      "munmap, where a shared page points to what ends",
      [
        "0: mmap c8, 0x200, rw",
        "0: storecap c8, 0x0(c1)",
        "0: fork c7",
        "0: munmap c8, 0x100",
        "0: loadcap c9, 0x0(c1)",
        "1: exit 0",
        "0: munmap c8, 0x100",
      ],
      3,
    ],
    [
      "a fork, whose child would lose a pointer at once",
      [
        "0: mmap c8, 0x200, rw",
        "0: storecap c8, 0x0(c1)",
        "0: madvise c8, 0x100, dontfork",
        "0: fork c7",
        "0: getpid c9",
      ],
      3,
    ],
  ])("%s", (_, text, at) => {
    const { steps } = read(lines(...text));
    expect(lockstep(createSpec(config), createFast(config), steps, { full: true })).toMatchObject({
      difference: undefined,
    });
    const fast = createFast(config);
    for (const step of steps.slice(0, at + 1)) fast.step(step);
    expect(fast.observed().observation).toEqual({ kind: "out-of-frames" });
  });
});

test("regions so far apart that no number holds the distance", () => {
  const wide = formatNames.filter((format) => format !== "cheri64-v9" && format !== "rvy64");
  // Just beyond 2^53, because Morello ends at 2^55: a power of two keeps the alignment.
  const far = ({ stride, slots, ...rest }: Config): Config => {
    const bits = 54 - (BigInt(slots) * stride).toString(2).length;
    return complete({ ...rest, slots, stride: stride << BigInt(bits) });
  };
  const options = { formats: wide, strategies: fastStrategies } as const;
  expect(differences("far", options, Math.ceil(programs / 2), far)).toEqual([]);
  // They are that far apart.
  const { config } = generate("far", 0, options);
  expect(BigInt(far(config).slots) * far(config).stride).toBeGreaterThan(2n ** 53n);
});

test("a region of half a gigabyte costs what is touched of it", () => {
  const config = complete({ page: 4096, pages: 131_072, strategy: "copa", frames: 4 * 131_072 });
  const fast = createFast(config);
  const before = process.memoryUsage().arrayBuffers;
  fast.step({ actor: 0, operation: { op: "fork", cd: 7 } });
  expect(fast.observed().observation).toEqual({ kind: "child", child: 1 });
  const data = { immediate: 0x1234n };
  fast.step({ actor: 1, operation: { op: "store.w", value: data, n: { immediate: 0x0800_0000n }, cs1: 1 } });
  expect(fast.observed().observation).toEqual({ kind: "none" });
  expect(fast.counters()[1]).toMatchObject({ faults: 1, copies: 1 });
  // Page tables and counts of frames: some tens of bytes a page, of which there are 4096 times as many.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 131_072);
});

test("posix is refused", () => {
  expect(() => createFast(complete({ strategy: "posix" }))).toThrow(RangeError);
});

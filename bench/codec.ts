/**
 * The codec alone: bounds decoded, bounds set, an address set with the fast check, on random legal capabilities. The optimised
 * implementation, the specification and, where there is a compiler, a small reference in C take turns, and must agree.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { EXACT, WITHIN, DECODED_SIZE } from "../impl/fast/codec/types.js";
import { fastRepresentable, formats, requestBounds, type Capability, type FormatName } from "../spec/cheri/index.js";
import { randomCapabilities, type Capabilities } from "./capabilities.js";
import { withNative, type Native } from "./native.js";
import type { BenchRow } from "./small.js";
import { distribution } from "./timing.js";

const operations = ["decode", "set-bounds", "set-address"] as const;

type OperationName = (typeof operations)[number];

interface Options {
  readonly format: FormatName;
  /** Capabilities, and how many of them the specification is asked about. */
  readonly count: number;
  readonly spec: number;
  readonly rounds: number;
}

/** The checksum of the results for the first `count` capabilities. */
type Pass = (count: number) => number;

/** The format that the reference in C has. */
const nativeFormat: FormatName = "cheri128-v9";

const mix = (sum: number, value: number): number => (Math.imul(sum, 31) + value) | 0;

const fastPasses = ({ codec, words, lengths, addresses }: Capabilities): Readonly<Record<OperationName, Pass>> => {
  const { granuleHalves: size } = codec;
  const out = new Int32Array(DECODED_SIZE);
  const to = new Int32Array(size);
  // The address is one half or two; everything else is metadata.
  const place = size === 8 ? 2 : 0;
  const addressHalves = size === 2 ? 1 : 2;
  const address = (): number => (to[place] ?? 0) ^ (addressHalves === 1 ? 0 : (to[place + 1] ?? 0));
  const metadata = (): number => {
    let all = 0;
    for (let half = 0; half < size; half += 1) all ^= to[half] ?? 0;
    return all ^ address();
  };
  return {
    decode: (count) => {
      let sum = 0;
      for (let nth = 0; nth < count; nth += 1) {
        codec.decodeBounds(words, nth * size, out);
        sum = mix(sum, (out[0] ?? 0) ^ (out[1] ?? 0) ^ (out[2] ?? 0) ^ (out[3] ?? 0) ^ (out[4] ?? 0));
      }
      return sum >>> 0;
    },
    "set-bounds": (count) => {
      let sum = 0;
      for (let nth = 0; nth < count; nth += 1) {
        const answer = codec.setBounds(words, nth * size, lengths[nth * 2] ?? 0, lengths[nth * 2 + 1] ?? 0, 0, to, 0);
        sum = mix(sum, metadata() ^ (answer & (EXACT | WITHIN)));
      }
      return sum >>> 0;
    },
    "set-address": (count) => {
      let sum = 0;
      for (let nth = 0; nth < count; nth += 1) {
        const [lo, hi] = [addresses[nth * 2] ?? 0, addresses[nth * 2 + 1] ?? 0];
        const keeps = codec.fastRepresentable(words, nth * size, lo, hi);
        codec.setAddress(words, nth * size, lo, hi, to, 0);
        sum = mix(sum, address() ^ +keeps);
      }
      return sum >>> 0;
    },
  };
};

const numberAt = (halves: Int32Array, at: number, size: number): bigint => {
  let value = 0n;
  for (let half = size - 1; half >= 0; half -= 1) value = (value << 32n) | BigInt((halves[at + half] ?? 0) >>> 0);
  return value;
};

/** The halves of a number, put together; bits above the last whole half stand alone. */
const fold = (value: bigint): number => {
  let all = 0;
  for (let rest = value; rest > 0n; rest >>= 32n) all ^= Number(BigInt.asIntN(32, rest));
  return all;
};

const specPasses = (
  { words, lengths, addresses, codec }: Capabilities,
  count: number,
): Readonly<Record<OperationName, Pass>> => {
  const format = formats[codec.format];
  const { granuleHalves: size } = codec;
  const granules = Array.from({ length: count }, (_, nth) => numberAt(words, nth * size, size));
  const capabilities = granules.map((bits): Capability => format.decode(format.fromMemory(bits), true));
  const pairs = (halves: Int32Array): readonly bigint[] => granules.map((_, nth) => numberAt(halves, nth * 2, 2));
  const [requests, targets] = [pairs(lengths), pairs(addresses)];
  const sumOf = (result: (nth: number) => number): Pass => {
    return (some) => {
      let sum = 0;
      for (let nth = 0; nth < some; nth += 1) sum = mix(sum, result(nth));
      return sum >>> 0;
    };
  };
  const none: Capability = format.decode(format.fromMemory(0n), false);
  return {
    decode: sumOf((nth) => {
      const { metadata, address } = format.fromMemory(granules[nth] ?? 0n);
      const { base, top } = format.decodeBounds(metadata, address);
      return fold(base) ^ fold(top);
    }),
    "set-bounds": sumOf((nth) => {
      const { capability, exact } = requestBounds(format, capabilities[nth] ?? none, requests[nth] ?? 0n);
      return fold(capability.metadata) ^ ((exact ? EXACT : 0) | (capability.tag ? WITHIN : 0));
    }),
    "set-address": sumOf((nth) => {
      const target = targets[nth] ?? 0n;
      return fold(target) ^ +fastRepresentable(format, capabilities[nth] ?? none, target);
    }),
  };
};

interface Timed {
  /** Millions of operations a second. */
  readonly rate: number;
  readonly sum: number;
}

const timed = (pass: Pass, count: number): Timed => {
  const started = performance.now();
  const sum = pass(count);
  return { rate: count / (performance.now() - started) / 1000, sum };
};

/** One round of the reference in C: by operation the rate and the checksum. */
const nativeRound = (native: Native, file: string, count: number): ReadonlyMap<string, Timed> =>
  new Map(
    native
      .run([file, String(count), "1"])
      .map(([name = "", took, sum]) => [name, { rate: (count / Number(took)) * 1000, sum: Number(sum) }]),
  );

const agree = (what: string, ...sums: readonly (number | undefined)[]): void => {
  if (new Set(sums.filter((sum) => sum !== undefined)).size > 1) throw new Error(`${what}: the results differ`);
};

const rowsOf = ({ format, count, spec, rounds }: Options, native: Native | undefined): readonly BenchRow[] => {
  const capabilities = randomCapabilities(format, count);
  const { words, lengths, addresses } = capabilities;
  const quick = fastPasses(capabilities);
  const slow = specPasses(capabilities, spec);
  const file = path.join(native?.folder ?? "", "capabilities");
  if (native !== undefined)
    writeFileSync(
      file,
      [words, lengths, addresses].map((part) => Buffer.from(part.buffer)).reduce((a, b) => Buffer.concat([a, b])),
    );
  // Warm up; and nothing is measured that the others do not say, too.
  for (const operation of operations) {
    quick[operation](count);
    agree(`${format} ${operation}`, quick[operation](spec), slow[operation](spec));
  }
  const samples = Array.from({ length: rounds }, () => {
    const round = native === undefined ? undefined : nativeRound(native, file, count);
    return operations.map((operation) => {
      const fast = timed(quick[operation], count);
      const reference = timed(slow[operation], spec);
      const c = round?.get(operation);
      agree(`${format} ${operation}`, fast.sum, c?.sum);
      return { fast: fast.rate, spec: reference.rate, c: c?.rate ?? NaN };
    });
  });
  return operations.map((operation, nth) => {
    const mine = samples.flatMap((sample) => sample[nth] ?? []);
    const median = (of: (sample: (typeof mine)[number]) => number): number => distribution(mine.map(of)).median;
    return {
      benchmark: "codec",
      what: { format, operation },
      figures: {
        fast: median(({ fast }) => fast),
        spec: median((sample) => sample.spec),
        c: median(({ c }) => c),
        ratio: median((sample) => sample.fast / sample.spec),
        ofC: median(({ fast, c }) => fast / c),
      },
      units: { fast: "M/s", spec: "M/s", c: "M/s" },
    };
  });
};

/** A row for each operation. Figures of C are not numbers where there is no compiler, and for all formats but `cheri128-v9`. */
export const benchCodec = (options: Options): readonly BenchRow[] =>
  options.format === nativeFormat
    ? withNative("codec", (native) => rowsOf(options, native))
    : rowsOf(options, undefined);

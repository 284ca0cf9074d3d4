/** The two codecs answer alike; `npx tsx scripts/agree.ts` asks for more words than there is time for here. */
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Codec } from "../../conformance/codec.js";
import { fastCodec } from "../../conformance/fast-codec.js";
import { specCodec } from "../../conformance/spec-codec.js";
import { main } from "../../scripts/agree.js";
import { agree, describeDisagreement, type Agreement } from "./agree.js";
import { formatNames } from "./geometry.js";

const seed = 0x5f30;
const patterns = 10_000;

/** Milliseconds; a busy machine takes a while. */
const timeout = 180_000;

const report = ({ disagreement }: Agreement): string =>
  disagreement === undefined ? "" : describeDisagreement(disagreement, seed);

test.each(formatNames)(
  `%s: both answer alike for ${patterns} words (seed ${seed})`,
  (format) => {
    const result = agree([specCodec, fastCodec], format, { patterns, seed });
    expect(report(result)).toBe("");
    expect(result.compared).toBeGreaterThan(9 * patterns);
  },
  timeout,
);

describe("a difference is found and shown", () => {
  /** Each is a mistake in one function that shows only now and then. */
  const mistakes: readonly (readonly [method: string, mistake: Partial<Codec>])[] = [
    ["decode", { decode: (f, w) => ({ ...specCodec.decode(f, w), top: specCodec.decode(f, w).top & ~(1n << 64n) }) }],
    ["setBounds", { setBounds: (f, w, length) => ({ ...specCodec.setBounds(f, w, length), tag: w.tag }) }],
    ["representable", { representable: (f, w, a) => ({ ...specCodec.representable(f, w, a), fast: true }) }],
    ["setAddress", { setAddress: (f, w, a) => specCodec.setAddress(f, w, a, "precise") }],
    ["andPermissions", { andPermissions: (f, w, mask) => specCodec.andPermissions(f, w, mask | 1n) }],
    ["withOtype", { withOtype: (f, w, otype) => specCodec.withOtype(f, w, otype & ~1n) }],
    ["setFlags", { setFlags: (f, w, flags) => ({ ...specCodec.setFlags(f, w, flags), tag: w.tag }) }],
    ["relocate", { relocate: (f, w, delta) => ({ ...specCodec.relocate(f, w, delta), tag: w.tag }) }],
    ["encode", { encode: (f, fields) => ({ ...specCodec.encode(f, fields), tag: false }) }],
    ["representableLength", { representableLength: (_format, length) => length }],
    ["alignmentMask", { alignmentMask: (f, length) => specCodec.alignmentMask(f, length + 1n) }],
  ];

  test.each(mistakes)(
    "in %s",
    (method, mistake) => {
      const broken: Codec = { ...specCodec, name: "fast", ...mistake };
      const result = agree([specCodec, broken], "cheri128-v9", { patterns, seed });
      expect(result.disagreement?.method).toBe(method);
      expect(report(result)).toMatch(
        new RegExp(`^cheri128-v9: spec and fast differ in ${method}\\n(  (seed|word|arguments|spec|fast) .*\\n?){5}$`),
      );
    },
    timeout,
  );

  test("and the same seed finds it again", () => {
    const broken: Codec = { ...specCodec, name: "fast", representableLength: (_format, length) => length };
    const runs = [1, 2].map(() => report(agree([specCodec, broken], "rvy64", { patterns, seed })));
    expect(runs[0]).toBe(runs[1]);
  });
});

describe("the script", () => {
  const run = (args: readonly string[], codecs: readonly [Codec, Codec] = [specCodec, fastCodec]) => {
    const output = { out: "", err: "" };
    const into = (key: "out" | "err") =>
      new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          output[key] += chunk.toString();
          done();
        },
      });
    return { status: main(args, { out: into("out"), err: into("err") }, codecs), ...output };
  };

  test("says on one line that all is well", () => {
    const { status, out, err } = run(["--patterns", "20", "--format", "rvy64", "--seed", "7"]);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toMatch(/^rvy64: 20 words each, \d+ answers compared, all alike \(seed 7, .*\)\n$/);
  });

  test("exits with 1 at a difference", () => {
    const broken: Codec = { ...specCodec, name: "fast", representableLength: () => 1n };
    const { status, out } = run(["--patterns", "5"], [specCodec, broken]);
    expect(status).toBe(1);
    expect(out).toMatch(/differ in representableLength/);
  });

  test.each([
    [["--patterns", "0"], /--patterns/],
    [["--patterns", "many"], /--patterns/],
    [["--seed", "-1"], /--seed/],
    [["--format", "cheri512"], /--format.*cheri128-v9/],
    [["--speed", "1"], /--speed/],
    [["morello"], /morello/],
  ])("refuses %j with 2, on one line", (args, message) => {
    const { status, out, err } = run(args);
    expect({ status, out }).toEqual({ status: 2, out: "" });
    expect(err).toMatch(message);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});

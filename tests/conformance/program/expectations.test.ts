/** What `expect` compares: the fields that are named, and no others. */
import { isLeft } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { printObservation, type CanonicalObservation, type Expectation } from "../../../conformance/canon.js";
import { expectationCodec, meetsExpectation } from "../../../conformance/program/expectation-codec.js";
import { parseObservation } from "../../../conformance/program/expectation-text.js";
import { rightOf } from "./files.js";

const expectation = (text: string): Expectation => rightOf(parseObservation(text));

const pointer: CanonicalObservation = {
  cap: {
    tag: true,
    address: "P1+0x8",
    base: "P1+0x0",
    top: "P1+0x40",
    permissions: ["load", "store"],
    otype: "unsealed",
    flags: "0x0",
  },
};

describe("met and not met", () => {
  const line = "cap tag=1 base=P1+0x0 top=P1+0x40 address=P1+0x8 permissions=load,store otype=unsealed flags=0x0";
  const trap: CanonicalObservation = { trap: { cause: "bounds", operand: "cs1" } };
  const process: CanonicalObservation = { process: 1, status: { exited: 3 } };
  test.each<readonly [string, CanonicalObservation, boolean]>([
    [line, pointer, true],
    ["cap", pointer, true],
    ["cap tag=1", pointer, true],
    ["cap top=P1+0x40 tag=1", pointer, true],
    ["cap permissions=store,load", pointer, true],
    ["cap tag=0", pointer, false],
    ["cap tag=1 base=P0+0x0", pointer, false],
    ["cap base=0x0", pointer, false],
    ["cap base=P1+0x0,dead", pointer, false],
    ["cap permissions=load", pointer, false],
    ["cap permissions=load,store,global", pointer, false],
    ["cap permissions=none", pointer, false],
    ["cap otype=sentry", pointer, false],
    ["int 0x5", { int: "0x5" }, true],
    ["int 5", { int: "0x5" }, true],
    ["int 0x5", { int: "0x6" }, false],
    ["int 0x5", pointer, false],
    ["none", { none: true }, true],
    ["none", { halted: true }, false],
    ["child P1", { child: 1 }, true],
    ["child P1", { child: 2 }, false],
    ["process P1", process, true],
    ["process P1 exited=3", process, true],
    ["process P1 exited=4", process, false],
    ["process P2", process, false],
    ["trap bounds", trap, true],
    ["trap bounds cs1", trap, true],
    ["trap bounds cs2", trap, false],
    ["trap tag", trap, false],
    ["error EAGAIN", { error: "EAGAIN" }, true],
    ["error EAGAIN", { error: "ENOMEM" }, false],
    ["would-block", { wouldBlock: true }, true],
    ["unsupported", { none: true }, false],
    ["bytes 0a0b", { bytes: "0a0b" }, true],
    ["bytes 0A0B", { bytes: "0a0b" }, true],
    ["bytes 0b0a", { bytes: "0a0b" }, false],
    ["bytes none", { bytes: "" }, true],
    ["bytes none", { bytes: "00" }, false],
    ["fd 3", { fd: 3 }, true],
    ["fd 3", { fd: 4 }, false],
    ["fds 3 4", { fds: [3, 4] }, true],
    ["fds 4 3", { fds: [3, 4] }, false],
    ["set 12 10", { set: [10, 12] }, true],
    ["set 10", { set: [10, 12] }, false],
    ["set 10 12 13", { set: [10, 12] }, false],
    ["set none", { set: [] }, true],
    ["set none", { set: [10] }, false],
    ["set read append", { set: ["append", "read"] }, true],
    ["process P1 signalled=9", { process: 1, status: { signalled: 9 } }, true],
    ["process P1 signalled=9", { process: 1, status: { signalled: 15 } }, false],
    ["process P1 signalled=9", { process: 1, status: { exited: 9 } }, false],
    ["process P1", { process: 1, status: { signalled: 9 } }, true],
  ])("expect %s, observed %j: %s", (text, observation, met) => {
    expect(meetsExpectation(expectation(text), observation)).toBe(met);
  });
});

describe("signals", () => {
  const taken: CanonicalObservation = { none: true, signals: [10, 12] };
  test.each<readonly [string, CanonicalObservation, boolean]>([
    ["none", taken, true],
    ["none signals=10,12", taken, true],
    ["none signals=12,10", taken, false],
    ["none signals=10", taken, false],
    ["none signals=10,12,13", taken, false],
    ["none signals=none", taken, false],
    ["none signals=none", { none: true }, true],
    ["none signals=10", { none: true }, false],
    ["int 0x5 signals=10,12", taken, false],
    ["cap tag=1 signals=10", { ...pointer, signals: [10] }, true],
    ["cap tag=0 signals=10", { ...pointer, signals: [10] }, false],
  ])("expect %s, observed %j: %s", (text, observation, met) => {
    expect(meetsExpectation(expectation(text), observation)).toBe(met);
  });
});

describe("one way to write each number", () => {
  test.each([
    ["cap base=p1+0X0040", "cap base=P1+0x40"],
    ["cap base=P01-0", "cap base=P1+0x0"],
    ["cap base=64", "cap base=0x40"],
    ["cap base=k+0x0", "cap base=K+0x0"],
    ["cap base=S0-0x8,dead", "cap base=S0-0x8,dead"],
  ])("%s is %s", (text, canonical) => {
    expect(printObservation(expectation(text))).toBe(canonical);
  });

  test.each(["cap base=-0x8", "cap base=P1", "cap base=P1+", "cap base=K1+0x0", "int S0+0x1", "cap flags=K+0x0"])(
    "%s is refused",
    (text) => {
      expect(isLeft(parseObservation(text))).toBe(true);
    },
  );

  test("values that are not canonical are not taken for expectations", () => {
    expect(expectationCodec.is({ int: "0x05" })).toBe(false);
    expect(expectationCodec.is({ int: "0x5" })).toBe(true);
    expect(expectationCodec.is({ int: "0x5", none: true })).toBe(false);
    expect(expectationCodec.is({ bytes: "0A" })).toBe(false);
    expect(expectationCodec.is({ process: 1, status: { exited: 0, signalled: 9 } })).toBe(false);
    expect(expectationCodec.is({ none: true, signals: [32] })).toBe(false);
    expect(expectationCodec.is({ none: true, signals: [31] })).toBe(true);
  });
});

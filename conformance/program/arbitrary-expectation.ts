/** Expectations for property tests: any observation in canonical form. */
import fc from "fast-check";
import { permissionWords } from "../../spec/cheri/index.js";
import { lastSignal } from "../../spec/sfork/kernel.js";
import type { ExitStatus } from "../../spec/sfork/observation.js";
import { openFlags } from "../../spec/sfork/operation.js";
import type { CanonicalCapability, Expectation } from "../canon.js";
import { errorCodes, trapCauses } from "./expectation-codec.js";

/** Objects like those that are written in a program: with the usual prototype. */
export const plainObjects = { noNullPrototype: true } as const;

const hex = (max: bigint): fc.Arbitrary<string> =>
  fc.bigInt({ min: 0n, max }).map((value) => `0x${value.toString(16)}`);

const canonicalNumber = fc.oneof(
  hex(1n << 64n),
  fc
    .record({
      where: fc.oneof(
        fc.constantFrom("K", "S0"),
        fc.nat(99).map((process) => `P${process}`),
      ),
      sign: fc.constantFrom("+", "-"),
      distance: hex(1n << 63n),
      suffix: fc.constantFrom("", ",dead"),
    })
    .map(({ where, sign, distance, suffix }) => `${where}${distance === "0x0" ? "+" : sign}${distance}${suffix}`),
);

const capability: fc.Arbitrary<Partial<CanonicalCapability>> = fc.record(
  {
    tag: fc.boolean(),
    address: canonicalNumber,
    base: canonicalNumber,
    top: canonicalNumber,
    permissions: fc.subarray([...permissionWords]),
    otype: fc.oneof(fc.constantFrom("unsealed", "sentry"), hex(1n << 18n)),
    flags: hex(0xffn),
  },
  { ...plainObjects, requiredKeys: [] },
);

const bareExpectation: fc.Arbitrary<Expectation> = fc.constantFrom<Expectation>(
  { none: true },
  { wouldBlock: true },
  { unsupported: true },
  { noActor: true },
  { halted: true },
  { badChoice: true },
  { outOfFrames: true },
  { outsideProfile: true },
);

const status: fc.Arbitrary<ExitStatus> = fc.oneof(
  fc.record({ exited: fc.nat(255) }, plainObjects),
  fc.record({ signalled: fc.integer({ min: 1, max: lastSignal }) }, plainObjects),
);

/** Any observation in canonical form, whole or in part, but for signals. */
const anyObservation: fc.Arbitrary<Expectation> = fc.oneof(
  fc.record({ cap: capability }, plainObjects),
  fc.record({ int: hex(1n << 64n) }, plainObjects),
  fc.record({ child: fc.nat() }, plainObjects),
  fc.record({ process: fc.nat(), status }, { ...plainObjects, requiredKeys: ["process"] }),
  fc.record(
    {
      trap: fc.record(
        { cause: fc.constantFrom(...trapCauses), operand: fc.constantFrom("cs1", "cs2") },
        { ...plainObjects, requiredKeys: ["cause"] },
      ),
    },
    plainObjects,
  ),
  fc.record({ error: fc.constantFrom(...errorCodes) }, plainObjects),
  fc.record(
    { bytes: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString("hex")) },
    plainObjects,
  ),
  fc.record({ fd: fc.nat() }, plainObjects),
  fc.record({ fds: fc.tuple(fc.nat(), fc.nat()) }, plainObjects),
  fc.record(
    { set: fc.array(fc.oneof(fc.nat(), fc.constantFrom(...openFlags, "handler")), { maxLength: 4 }) },
    plainObjects,
  ),
  bareExpectation,
);

/** Most do not belong to any step. */
export const anyExpectation: fc.Arbitrary<Expectation> = fc
  .tuple(anyObservation, fc.option(fc.array(fc.integer({ min: 1, max: lastSignal }), { maxLength: 3 }), { freq: 2 }))
  .map(([observation, signals]) => (signals === null ? observation : { ...observation, signals }));

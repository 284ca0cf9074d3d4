/** CAP-5: jumps. The order of the checks is the Sail model's; each step below mends the first thing that is wrong. */
import { expect, test } from "vitest";
import { invoke, jumpAndLink, type Capability } from "../../../../spec/cheri/index.js";
import { all, capability, sealing } from "./capabilities.js";

const code = ["load", "store", "execute", "invoke"] as const;

test("CAP-5 cjalr: tag, seal, execute, alignment, bounds; a sentry opens, and the link is one", () => {
  for (const format of all) {
    const pcc = capability(format, { allow: code, address: 0x1020n });
    const { sentry } = format.otypes;
    // 1. Untagged, sealed, no code, misaligned, and beside its bounds.
    const wrong = capability(format, { allow: ["load"], tag: false, address: 0x1102n });
    const steps: readonly (readonly [Capability, string])[] = [
      [wrong, "tag"],
      ...(format.otypes.ordinary
        ? [[capability(format, { allow: ["load"], otype: 5n, address: 0x1102n }), "seal"] as const]
        : []),
      [{ ...wrong, tag: true }, "perm-execute"],
      [capability(format, { allow: code, address: 0x1102n }), "align"],
      [capability(format, { allow: code, address: 0x1100n }), "bounds"],
      [capability(format, { allow: code, base: 0x1002n, top: 0x1022n, address: 0x1000n }), "bounds"],
      [capability(format, { allow: code, top: 0x1022n, address: 0x1020n }), "bounds"],
    ];
    for (const [target, trap] of steps) {
      expect(jumpAndLink(format, pcc, target), format.name).toEqual({ trap, operand: "cs1" });
    }
    // 2. Bit 0 of the target is dropped.
    const link = capability(format, { allow: code, address: 0x1024n, otype: sentry });
    const jumped = { pcc: capability(format, { allow: code, address: 0x1040n }), link };
    for (const target of [
      { address: 0x1040n },
      { address: 0x1041n },
      { address: 0x1040n, otype: sentry },
      { address: 0x1041n, otype: sentry },
    ]) {
      expect(jumpAndLink(format, pcc, capability(format, { allow: code, ...target })), format.name).toEqual(jumped);
    }
  }
});

test("CAP-5 cinvoke: tags, seals, types, permissions of both, then the target; both open", () => {
  for (const format of sealing) {
    const of = (otype: bigint, ...allow: readonly ("load" | "execute" | "invoke")[]): Capability =>
      capability(format, { otype, allow, address: 0x1102n });
    const { sentry, unsealed } = format.otypes;
    // 1. Each pair fails the check that is named and all after it; none before it.
    const pairs: readonly (readonly [Capability, Capability, string, "cs1" | "cs2"])[] = [
      [{ ...of(unsealed), tag: false }, { ...of(sentry, "execute"), tag: false }, "tag", "cs1"],
      [of(unsealed), { ...of(sentry, "execute"), tag: false }, "tag", "cs2"],
      [of(unsealed), of(sentry, "execute"), "seal", "cs1"],
      [of(sentry), of(sentry, "execute"), "seal", "cs1"],
      [of(6n), of(sentry, "execute"), "seal", "cs2"],
      [of(6n), of(unsealed, "execute"), "seal", "cs2"],
      [of(6n), of(5n, "execute"), "type", "cs1"],
      [of(5n), of(5n, "execute"), "perm-cinvoke", "cs1"],
      [of(5n, "invoke"), of(5n, "execute"), "perm-cinvoke", "cs2"],
      [of(5n, "invoke"), of(5n, "execute", "invoke"), "perm-execute", "cs1"],
      [of(5n, "invoke", "execute"), of(5n, "execute", "invoke"), "perm-execute", "cs2"],
      [of(5n, "invoke", "execute"), of(5n, "invoke"), "align", "cs1"],
      [capability(format, { otype: 5n, address: 0x1100n }), of(5n, "invoke"), "bounds", "cs1"],
    ];
    for (const [cs1, cs2, trap, operand] of pairs) {
      expect(invoke(format, cs1, cs2), format.name).toEqual({ trap, operand });
    }
    // 2. The data capability's address does not matter.
    const target = capability(format, { otype: 5n, allow: code, address: 0x1041n });
    expect(invoke(format, target, of(5n, "load", "invoke")), format.name).toEqual({
      pcc: capability(format, { allow: code, address: 0x1040n }),
      data: capability(format, { allow: ["load", "invoke"], address: 0x1102n }),
    });
  }
});

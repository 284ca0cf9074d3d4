/** Jumps: CJALR and CInvoke (CAP-5, EXEC-1). They are the only operations besides loads and stores that trap. */
import { trap, type Trap } from "./access.js";
import { hasReservedOtype, inBounds, isSealed, permits, type Capability, type CapabilityFormat } from "./capability.js";
import { sealEntry, unsealed } from "./sealing.js";
import { setAddress } from "./operations.js";

/** Instructions are four bytes long and so aligned: there are no compressed ones. */
export const instructionBytes = 4n;

/** Bit 0 of a jump's target is ignored. */
const jumpTarget = (code: Capability): bigint => code.address & ~1n;

const at = (format: CapabilityFormat, code: Capability): Capability =>
  format.decode({ metadata: unsealed(format, code).metadata, address: jumpTarget(code) }, true);

/**
 * CJALR with offset 0: the new `pcc`, unsealed if it was a sentry, and the link, a sentry to the next instruction.
 *
 * QEMU also refuses a target that is not global or whose base is not aligned, and a sentry with an odd address; the Sail
 * model, which the specification takes, asks for none of that (ISAv9 §7 lists no such exception without relocation of
 * `pcc`). It asks for the target's alignment before its bounds.
 * @rule CAP-5 cjalr @source CHERI ISAv9 §7 CJALR; sail CJALR
 */
export const jumpAndLink = (
  format: CapabilityFormat,
  pcc: Capability,
  target: Capability,
): Trap | { readonly pcc: Capability; readonly link: Capability } => {
  if (!target.tag) return trap("tag");
  if (isSealed(format, target) && target.otype !== format.otypes.sentry) return trap("seal");
  if (!permits(format, target, "execute")) return trap("perm-execute");
  if (jumpTarget(target) % instructionBytes !== 0n) return trap("align");
  if (!inBounds(target, format.plainAddress(jumpTarget(target)), instructionBytes)) return trap("bounds");
  const link = sealEntry(format, setAddress(format, pcc, pcc.address + instructionBytes));
  return { pcc: at(format, target), link };
};

/**
 * CInvoke (Morello BRS): the new `pcc` and the data capability, both unsealed.
 * @rule CAP-5 cinvoke @source CHERI ISAv9 §7 CInvoke; sail CInvoke
 */
export const invoke = (
  format: CapabilityFormat,
  code: Capability,
  data: Capability,
): Trap | { readonly pcc: Capability; readonly data: Capability } => {
  if (!code.tag) return trap("tag", "cs1");
  if (!data.tag) return trap("tag", "cs2");
  if (hasReservedOtype(format, code)) return trap("seal", "cs1");
  if (hasReservedOtype(format, data)) return trap("seal", "cs2");
  if (code.otype !== data.otype) return trap("type", "cs1");
  if (!permits(format, code, "invoke")) return trap("perm-cinvoke", "cs1");
  if (!permits(format, data, "invoke")) return trap("perm-cinvoke", "cs2");
  if (!permits(format, code, "execute")) return trap("perm-execute", "cs1");
  if (permits(format, data, "execute")) return trap("perm-execute", "cs2");
  if (jumpTarget(code) % instructionBytes !== 0n) return trap("align", "cs1");
  if (!inBounds(code, format.plainAddress(jumpTarget(code)), instructionBytes)) return trap("bounds", "cs1");
  return { pcc: at(format, code), data: unsealed(format, data) };
};

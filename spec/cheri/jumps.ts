/** Jumps: CJALR and CInvoke (CAP-5, EXEC-1). They are the only operations besides loads and stores that trap. */
import { trap, type Check, type Trap } from "./access.js";
import { hasReservedOtype, inBounds, isSealed, permits, type Capability, type CapabilityFormat } from "./capability.js";
import { sealEntry, unsealed } from "./sealing.js";
import { setAddress } from "./operations.js";

/** Instructions are four bytes long and so aligned: there are no compressed ones. */
export const instructionBytes = 4n;

/** Bit 0 of a jump's target is ignored. */
const jumpTarget = (code: Capability): bigint => code.address & ~1n;

/** The target's alignment, then its bounds. */
const checkTarget = (format: CapabilityFormat, code: Capability): Check => {
  if (jumpTarget(code) % instructionBytes !== 0n) return trap("align");
  return inBounds(code, format.plainAddress(jumpTarget(code)), instructionBytes) ? undefined : trap("bounds");
};

const at = (format: CapabilityFormat, code: Capability): Capability =>
  format.decode({ metadata: unsealed(format, code).metadata, address: jumpTarget(code) }, true);

/**
 * CJALR with offset 0: the new `pcc`, unsealed if it was a sentry, and the link, a sentry to the next instruction.
 *
 * QEMU also refuses a target that is not global or whose base is not aligned, and a sentry with an odd address; the Sail
 * model, which the specification takes, asks for none of that (an aligned base only where `pcc` is relocated). It asks for
 * the target's alignment before its bounds. Later RVY and Morello do not trap at the jump but at the fetch behind it.
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
  const refused = checkTarget(format, target);
  if (refused !== undefined) return refused;
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
  const refused = checkTarget(format, code);
  if (refused !== undefined) return refused;
  return { pcc: at(format, code), data: unsealed(format, data) };
};

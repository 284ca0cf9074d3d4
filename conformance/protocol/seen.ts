/** What the specification lets be seen, as an implementation in another process would tell it. */
import { pageBase, registerCount, type Machine } from "../../spec/sfork/machine.js";
import { decoded } from "../../spec/invariants/transition.js";
import { viewRegion } from "../../spec/invariants/view.js";
import { canonicalCapability } from "../canon.js";
import type { SeenGranule, SeenRegister, SeenView } from "./messages.js";

export const registerNames: readonly string[] = [
  ...Array.from({ length: registerCount }, (_, index) => `c${index}`),
  "pcc",
];

const granulesOf = (machine: Machine): readonly SeenGranule[] => {
  const { config, format } = machine;
  const perPage = BigInt(config.page) / format.granule;
  return machine.processes.flatMap(({ slot, state }, process): readonly SeenGranule[] => {
    if (state.kind !== "live") return [];
    const start = pageBase(config, slot, 0);
    return viewRegion(machine, slot).flatMap((page, number) =>
      (page?.granules ?? []).flatMap((granule, index): readonly SeenGranule[] => {
        if (!granule.tag) return [];
        const offset = pageBase(config, slot, number) - start + (BigInt(index) % perPage) * format.granule;
        const cap = canonicalCapability(decoded(machine, granule), machine, process);
        return [{ process, address: `P${process}+0x${offset.toString(16)}`, cap }];
      }),
    );
  });
};

const registersOf = (machine: Machine): readonly SeenRegister[] =>
  machine.threads.flatMap(({ live, process, registers, pcc }, thread): readonly SeenRegister[] =>
    !live
      ? []
      : [...registers, pcc].flatMap((value, index): readonly SeenRegister[] => {
          const register = registerNames[index] ?? "";
          return value.tag ? [{ process, thread, register, cap: canonicalCapability(value, machine, process) }] : [];
        }),
  );

/** Every tagged capability in memory and registers of live processes, with everything lazy resolved. */
export const seenView = (machine: Machine): SeenView => ({
  granules: granulesOf(machine),
  registers: registersOf(machine),
});

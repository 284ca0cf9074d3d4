/** Systems from the literature as strategies of the same machine: the same programs, the same counters. */
import type { Strategy } from "../strategy.js";

const never = (): boolean => false;

/** An address space for each process, in which capabilities mean the same: only writes fault, by a page's guard. */
const copyOnWrite: Strategy = { separate: true, atFork: "guard", faultsOn: never, staleReads: false };

/** Every process has an address space of its own: these conform. */
export const conforming = {
  /** A monolithic kernel: an address space for each process, pages copied on write. */
  "multi-as-cow": copyOnWrite,
  /**
   * The whole machine image is cloned, its kernel with it; processes reach each other only across address spaces. How large
   * the kernel is, and how much of itself it writes before the child runs, is assumed.
   * @source Nephele (EuroSys 2023); KylinX (USENIX ATC 2018)
   */
  "vm-clone": { ...copyOnWrite, kernel: { mapped: 64, written: 8 } },
} as const satisfies Readonly<Record<string, Strategy & { readonly kernel?: object }>>;

/** In one address space, and known to break the invariants that are named beside each. */
export const knownFalse = {
  /**
   * The child maps its parent's segments: nothing in memory is relocated, and what one writes the other sees (INV-6).
   * @source Wilkinson et al. (1993)
   */
  "shared-segments": { separate: false, atFork: "share", faultsOn: never, staleReads: false },
  /** Copy on write in one address space, where nothing stops a pointer from being loaded as it is (INV-1, INV-2). */
  "naive-cow": {
    separate: false,
    atFork: "guard",
    faultsOn: (touch) => touch === "write" || touch === "write-tag",
    staleReads: false,
  },
} as const satisfies Readonly<Record<string, Strategy>>;

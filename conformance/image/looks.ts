/** Pages of an implementation as typed arrays, so that every granule of a large image can be judged. */
import type { Fast } from "../../impl/fast/index.js";
import type { View } from "../../impl/implementation.js";
import type { Capability } from "../../spec/cheri/index.js";
import type { Protection } from "../../spec/sfork/operation.js";

/** What a judge looks at after a fork. */
export interface Looks {
  /**
   * A page as a process sees it: granules of 16 bytes into `cells`, a byte for each tag into `tags`. Answers its protection as
   * bits (1 read, 2 write, 4 execute), or -1 where nothing is mapped.
   */
  readonly page: (process: number, page: number, cells: Int32Array, tags: Uint8Array) => number;
  /** General registers and `pcc` of a live thread. */
  readonly registers: (thread: number) => readonly Capability[];
}

export const looksOfFast = (fast: Pick<Fast, "look" | "registers">): Looks => ({
  page: fast.look,
  registers: fast.registers,
});

export const protectionBits = ({ read, write, execute }: Protection): number =>
  (read ? 1 : 0) | (write ? 2 : 0) | (execute ? 4 : 0);

const half = (bits: bigint, index: number): number => Number(BigInt.asIntN(32, bits >> BigInt(32 * index)));

/** The same of a view. */
export const looksOfView = (view: View): Looks => ({
  page: (process, index, cells, tags) => {
    const page = view.processes.get(process)?.pages[index];
    if (page === undefined) return -1;
    page.granules.forEach(({ tag, bits }, at) => {
      for (let part = 0; part < 4; part += 1) cells[at * 4 + part] = half(bits, part);
      tags[at] = +tag;
    });
    return protectionBits(page.protection);
  },
  registers: (thread) => view.threads.get(thread) ?? [],
});

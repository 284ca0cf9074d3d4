/** Steps by their names, as short as they are in a program's text. */
import type { OpenFlag, Operation, Step } from "../../spec/sfork/operation.js";

const int = (value: number) => ({ immediate: BigInt(value) });

/** What a thread does; registers are numbers, and `n` is a distance in bytes. */
export const thread = (actor: number) => {
  const step = (operation: Operation): Step => ({ actor, operation });
  return {
    cincoffset: (cd: number, cs1: number, n: number) => step({ op: "cincoffset", cd, cs1, n: int(n) }),
    csetbounds: (cd: number, cs1: number, n: number) => step({ op: "csetbounds", cd, cs1, n: int(n) }),
    cmove: (cd: number, cs1: number) => step({ op: "cmove", cd, cs1 }),
    loadcap: (cd: number, n: number, cs1: number) => step({ op: "loadcap", cd, n: int(n), cs1 }),
    storecap: (cs2: number, n: number, cs1: number) => step({ op: "storecap", cs2, n: int(n), cs1 }),
    load: (cd: number, n: number, cs1: number) => step({ op: "load.d", cd, n: int(n), cs1 }),
    store: (value: number, n: number, cs1: number) => step({ op: "store.d", value: int(value), n: int(n), cs1 }),
    memset: (cs1: number, value: number, n: number) => step({ op: "memset", cs1, value: int(value), n: int(n) }),
    fork: () => step({ op: "fork", cd: 7 }),
    exec: () => step({ op: "exec" }),
    exit: () => step({ op: "exit", n: int(0) }),
    wait: () => step({ op: "wait", cd: 7, whom: undefined }),
    pipe: () => step({ op: "pipe" }),
    open: (path: string, ...flags: readonly OpenFlag[]) => step({ op: "open", path, flags }),
    close: (d: number) => step({ op: "close", d }),
    dup2: (d: number, d2: number) => step({ op: "dup2", d, d2 }),
    rewind: (d: number) => step({ op: "lseek", d, n: int(0), whence: "set" }),
    read: (d: number, cs1: number, n: number) => step({ op: "read", d, cs1, n: int(n) }),
    write: (d: number, cs1: number, n: number) => step({ op: "write", d, cs1, n: int(n) }),
    channel: () => step({ op: "channel" }),
    sendcap: (cs1: number) => step({ op: "sendcap", channel: 0, cs1 }),
    recvcap: (cd: number) => step({ op: "recvcap", cd, channel: 0 }),
  } as const;
};

/** The data part of a region, in every process; before an `exec` and after it. */
export const data = 1;

/** A capability in a register to so many bytes at a distance from the start of the data part. */
export function* object(cd: number, at: number, bytes: number, actor = 0): Generator<Step, void, void> {
  const { cincoffset, csetbounds } = thread(actor);
  yield cincoffset(cd, data, at);
  yield csetbounds(cd, cd, bytes);
}

/** CANON-1 by hand: the smallest cheri128-v9 machine with regions of 0x800 bytes from 0x1000 on, 0x1000 apart. */
import { describe, expect, test } from "vitest";
import { canonical, canonicalCapability, describe as describeObservation, plain } from "../../conformance/canon.js";
import { permissionMask, type Capability, type Permission } from "../../spec/cheri/index.js";
import { completeConfig, type StrategyName } from "../../spec/sfork/config.js";
import { initial, type Machine, type Process } from "../../spec/sfork/machine.js";

/** CFG-1: alignment of 0x800 bytes is 2^11 = 0x800; base 2 · 0x800; stride 0x800 + a guard page, rounded up; 16 slots. */
const base = 0x1000n;
const stride = 0x1000n;
const shared = base + 16n * stride;
const kernel = shared + 2n * 0x100n;

const machineOn = (strategy: StrategyName, ...processes: readonly Partial<Process>[]): Machine => {
  const config = completeConfig({ shared: 2, strategy });
  if ("illegal" in config) throw new Error(config.illegal);
  const start = initial(config);
  const [first] = start.processes;
  if (first === undefined) throw new Error("no process 0");
  return { ...start, processes: [first, ...processes.map((process) => ({ ...first, ...process }))] };
};

const machine = (...processes: readonly Partial<Process>[]): Machine => machineOn("eager", ...processes);

const ended: Partial<Process> = { state: { kind: "zombie", status: { exited: 0 }, ended: 0 } };

const bits = machine().format.permissionBits;

const capability = (
  from: bigint,
  to: bigint,
  address = from,
  more: { readonly tag?: boolean; readonly rights?: readonly Permission[]; readonly otype?: bigint } = {},
): Capability => ({
  tag: more.tag ?? true,
  address,
  base: from,
  top: to,
  permissions: permissionMask(bits, more.rights ?? ["load"]),
  otype: more.otype ?? 0x3ffffn,
  flags: 0n,
  metadata: 0n,
});

/** Who looks is 3: in one address space that must not matter. */
const bounds = (seen: Capability, on = machine(), process: number | undefined = 3): readonly string[] => {
  const { base: low, top, address } = canonicalCapability(seen, on, process);
  return [low, top, address];
};

describe("numbers are relative to the region that contains the bounds", () => {
  test.each<readonly [string, Capability, readonly string[]]>([
    ["a part of a region", capability(0x1010n, 0x1050n), ["P0+0x10", "P0+0x50", "P0+0x10"]],
    ["a whole region", capability(0x1000n, 0x1800n), ["P0+0x0", "P0+0x800", "P0+0x0"]],
    ["nothing, at its end", capability(0x1800n, 0x1800n), ["P0+0x800", "P0+0x800", "P0+0x800"]],
    ["an address below the region", capability(0x1000n, 0x1040n, 0xff0n), ["P0+0x0", "P0+0x40", "P0-0x10"]],
    ["an address in another region", capability(0x1000n, 0x1040n, 0x2000n), ["P0+0x0", "P0+0x40", "P0+0x1000"]],
    [
      "an address at the end of the address space",
      capability(0x1000n, 0x1040n, (1n << 64n) - 1n),
      ["P0+0x0", "P0+0x40", "P0-0x1001"],
    ],
    [
      "an address half the address space away",
      capability(0x1000n, 0x1040n, 0x1000n + (1n << 63n)),
      ["P0+0x0", "P0+0x40", "P0+0x8000000000000000"],
    ],
    [
      "one more than that",
      capability(0x1000n, 0x1040n, 0x1001n + (1n << 63n)),
      ["P0+0x0", "P0+0x40", "P0-0x7fffffffffffffff"],
    ],
    ["a shared segment", capability(shared + 8n, shared + 16n), ["S0+0x8", "S0+0x10", "S0+0x8"]],
    ["the second one", capability(shared + 0x108n, shared + 0x110n), ["S1+0x8", "S1+0x10", "S1+0x8"]],
    [
      "nothing, at the end of the first",
      capability(shared + 0x100n, shared + 0x100n),
      ["S0+0x100", "S0+0x100", "S0+0x100"],
    ],
    ["the kernel", capability(kernel, kernel + 0x100n), ["K+0x0", "K+0x100", "K+0x0"]],
  ])("%s", (_, seen, numbers) => {
    expect(bounds(seen)).toEqual(numbers);
  });

  test("the process that lives in the region now", () => {
    const on = machine({ slot: 1, ...ended }, { slot: 1 });
    expect(bounds(capability(0x2000n, 0x2010n), on)).toEqual(["P2+0x0", "P2+0x10", "P2+0x0"]);
  });

  test("the last that did, where none does", () => {
    const on = machine({ slot: 1, ...ended }, { slot: 1, ...ended });
    expect(bounds(capability(0x2000n, 0x2010n, 0x1ff0n), on)).toEqual(["P2+0x0,dead", "P2+0x10,dead", "P2-0x10,dead"]);
  });
});

describe("in separate address spaces a region is that of the process that looks", () => {
  // Processes 1 and 2 live in slots 1 and 2, and their regions begin where that of process 0 begins.
  const on = machineOn("posix", { slot: 1 }, { slot: 2, ...ended });

  test.each<readonly [string, Capability, readonly string[]]>([
    ["its memory", capability(0x1010n, 0x1050n), ["P1+0x10", "P1+0x50", "P1+0x10"]],
    ["an address that is not in it", capability(0x1000n, 0x1040n, 0xff0n), ["P1+0x0", "P1+0x40", "P1-0x10"]],
    ["nothing, at its end", capability(0x1800n, 0x1800n), ["P1+0x800", "P1+0x800", "P1+0x800"]],
    ["where slot 1 would be, were there one space", capability(0x2000n, 0x2040n), ["0x2000", "0x2040", "0x2000"]],
    ["more than the region", capability(0x1000n, 0x1801n), ["0x1000", "0x1801", "0x1000"]],
    ["without a tag", capability(0x1000n, 0x1040n, 0x1000n, { tag: false }), ["0x1000", "0x1040", "0x1000"]],
    ["a shared segment", capability(shared + 8n, shared + 16n), ["S0+0x8", "S0+0x10", "S0+0x8"]],
    ["the kernel", capability(kernel, kernel + 0x100n), ["K+0x0", "K+0x100", "K+0x0"]],
  ])("%s", (_, seen, numbers) => {
    expect(bounds(seen, on, 1)).toEqual(numbers);
  });

  test("whoever it is, dead or alive when the step has been taken", () => {
    const seen = capability(0x1010n, 0x1010n);
    expect([0, 1, 2].map((process) => bounds(seen, on, process)[0])).toEqual(["P0+0x10", "P1+0x10", "P2+0x10"]);
    expect(canonicalCapability(seen, on, undefined).base).toBe("0x1010");
  });
});

describe("numbers stay plain", () => {
  test.each<readonly [string, Capability, readonly string[]]>([
    ["without a tag", capability(0x1000n, 0x1040n, 0x1010n, { tag: false }), ["0x1000", "0x1040", "0x1010"]],
    ["authority to seal", capability(0x1000n, 0x1040n, 0x1000n, { rights: ["seal"] }), ["0x1000", "0x1040", "0x1000"]],
    [
      "authority to unseal",
      capability(0x1000n, 0x1040n, 0x1000n, { rights: ["unseal"] }),
      ["0x1000", "0x1040", "0x1000"],
    ],
    ["bounds in a guard gap", capability(0x1800n, 0x1801n), ["0x1800", "0x1801", "0x1800"]],
    ["bounds over two regions", capability(0x1000n, 0x2040n), ["0x1000", "0x2040", "0x1000"]],
    ["a region in which nobody ever lived", capability(0x2000n, 0x2040n), ["0x2000", "0x2040", "0x2000"]],
    ["below all regions, whatever the address", capability(0x4n, 0x8n, 0x1000n), ["0x4", "0x8", "0x1000"]],
    ["everything", capability(0n, 1n << 64n), ["0x0", "0x10000000000000000", "0x0"]],
    ["two shared segments", capability(shared, shared + 0x200n), ["0x11000", "0x11200", "0x11000"]],
    ["behind the kernel", capability(kernel + 0x101n, kernel + 0x102n), ["0x11301", "0x11302", "0x11301"]],
  ])("%s", (_, seen, numbers) => {
    expect(bounds(seen)).toEqual(numbers);
  });
});

describe("an observation as an object and as a line", () => {
  const on = machine();
  const sealed = capability(0x1000n, 0x1040n, 0x1008n, { rights: ["store", "load"], otype: 5n });

  test("a capability", () => {
    const observation = { kind: "capability", capability: sealed } as const;
    expect(canonical(observation, on, 0)).toStrictEqual({
      cap: {
        tag: true,
        address: "P0+0x8",
        base: "P0+0x0",
        top: "P0+0x40",
        permissions: ["load", "store"],
        otype: "0x5",
        flags: "0x0",
      },
    });
    expect(describeObservation(observation, on, 0)).toBe(
      "cap tag=1 base=P0+0x0 top=P0+0x40 address=P0+0x8 permissions=load,store otype=0x5 flags=0x0",
    );
    expect(plain(observation, on.format)).toMatchObject({ cap: { base: "0x1000", top: "0x1040", address: "0x1008" } });
  });

  test("object types that every format has are words", () => {
    const otypes = [0x3ffffn, 0x3fffen, 4n].map((otype) => canonicalCapability({ ...sealed, otype }, on, 0).otype);
    expect(otypes).toEqual(["unsealed", "sentry", "0x4"]);
  });

  test.each([
    ["int 0x1000", { kind: "integer", integer: 0x1000n }, { int: "0x1000" }],
    ["none", { kind: "none" }, { none: true }],
    ["bytes 000aff", { kind: "bytes", bytes: [0, 10, 255] }, { bytes: "000aff" }],
    ["bytes none", { kind: "bytes", bytes: [] }, { bytes: "" }],
    ["fd 3", { kind: "descriptor", descriptor: 3 }, { fd: 3 }],
    ["fds 4 3", { kind: "descriptors", descriptors: [4, 3] }, { fds: [4, 3] }],
    ["set 10 12", { kind: "set", members: [10, 12] }, { set: [10, 12] }],
    ["set read append", { kind: "set", members: ["read", "append"] }, { set: ["read", "append"] }],
    ["set none", { kind: "set", members: [] }, { set: [] }],
    ["child P1", { kind: "child", child: 1 }, { child: 1 }],
    [
      "process P2 exited=3",
      { kind: "process", process: 2, status: { exited: 3 } },
      { process: 2, status: { exited: 3 } },
    ],
    [
      "process P2 signalled=9",
      { kind: "process", process: 2, status: { signalled: 9 } },
      { process: 2, status: { signalled: 9 } },
    ],
    [
      "trap bounds cs1",
      { kind: "trap", trap: "bounds", operand: "cs1" },
      { trap: { cause: "bounds", operand: "cs1" } },
    ],
    ["error EAGAIN", { kind: "error", error: "EAGAIN", allowed: ["EAGAIN", "ENOMEM"] }, { error: "EAGAIN" }],
    ["would-block", { kind: "would-block" }, { wouldBlock: true }],
    ["unsupported", { kind: "unsupported" }, { unsupported: true }],
    ["no-actor", { kind: "no-actor" }, { noActor: true }],
    ["halted", { kind: "halted" }, { halted: true }],
    ["bad-choice", { kind: "bad-choice" }, { badChoice: true }],
    ["out-of-frames", { kind: "out-of-frames" }, { outOfFrames: true }],
    ["outside-profile", { kind: "outside-profile" }, { outsideProfile: true }],
  ] as const)("%s", (line, observation, object) => {
    expect(canonical(observation, on, 0)).toStrictEqual(object);
    expect(describeObservation(observation, on, 0)).toBe(line);
    // Signals that the thread took before the step stand beside whatever it observed.
    expect(canonical(observation, on, 0, [10, 12])).toStrictEqual({ ...object, signals: [10, 12] });
    expect(describeObservation(observation, on, 0, [10, 12])).toBe(`${line} signals=10,12`);
  });
});

/**
 * Executed instructions against the specification. The vectors speak of CHERI-RISC-V: `cs1`, `mcause`, `mtval`, cause
 * names; the specification's traps are translated here. An answer that equals `result` or `sail_result` passes.
 */
import {
  afterLoad,
  andPermissions,
  beforeStore,
  buildCap,
  checkLoad,
  checkLoadCap,
  checkLoadTags,
  checkStore,
  checkStoreCap,
  clearTag,
  conditionalSeal,
  copyType,
  equalExact,
  extend,
  formats,
  fromPointer,
  getHigh,
  getLength,
  getOffset,
  getPermissions,
  getType,
  incOffset,
  invoke,
  isSealed,
  jumpAndLink,
  loadBytes,
  loadGranule,
  loadTagGroup,
  representableAlignmentMask,
  representableLength,
  seal,
  sealEntry,
  setAddress,
  setBounds,
  setBoundsExact,
  setFlags,
  setHigh,
  setOffset,
  storeBytes,
  storeGranule,
  subtract,
  testSubset,
  toPointer,
  unseal,
  type Capability,
  type CapabilityFormat,
  type Check,
  type TaggedMemory,
  type Trap,
} from "../../spec/cheri/index.js";
import type { InstructionResult, InstructionRow, VectorCapability, VectorMemory } from "./schema.js";

const format: CapabilityFormat = formats["cheri128-v9"];

type Inputs = InstructionRow["inputs"];

/** The row does not have an operand that its instruction takes. */
export class MissingOperand extends Error {}

const required = <T>(value: T | undefined, name: string): T => {
  if (value === undefined) throw new MissingOperand(`inputs.${name} is missing`);
  return value;
};

const capability = (from: VectorCapability): Capability =>
  format.decode({ metadata: from.metadata, address: from.address }, from.tag);

const described = (of: Capability): VectorCapability => ({
  tag: of.tag,
  base: of.base,
  top: of.top,
  length: getLength(format, of),
  address: of.address,
  perms: of.permissions & 0xfffn,
  uperms: of.permissions >> 15n,
  otype: of.otype,
  sealed: isSealed(format, of),
  flags: of.flags,
  metadata: of.metadata,
});

/** Operands, decoded when they are asked for. */
interface Operands {
  readonly cs1: Capability;
  readonly cs2: Capability;
  readonly pcc: Capability;
  readonly rs1: bigint;
  readonly rs2: bigint;
  readonly imm: bigint;
}

const operands = (inputs: Inputs): Operands => ({
  get cs1() {
    return capability(required(inputs.cs1, "cs1"));
  },
  get cs2() {
    return capability(required(inputs.cs2, "cs2"));
  },
  get pcc() {
    return capability(required(inputs.pcc, "pcc"));
  },
  get rs1() {
    return required(inputs.rs1, "rs1");
  },
  get rs2() {
    return required(inputs.rs2, "rs2");
  },
  get imm() {
    return required(inputs.imm, "imm");
  },
});

const cheriCauses: Readonly<Partial<Record<Trap["trap"], readonly [name: string, code: bigint]>>> = {
  bounds: ["LengthViolation", 0x1n],
  tag: ["TagViolation", 0x2n],
  seal: ["SealViolation", 0x3n],
  type: ["TypeViolation", 0x4n],
  "perm-execute": ["PermitExecuteViolation", 0x11n],
  "perm-load": ["PermitLoadViolation", 0x12n],
  "perm-store": ["PermitStoreViolation", 0x13n],
  "perm-load-cap": ["PermitLoadCapViolation", 0x14n],
  "perm-store-cap": ["PermitStoreCapViolation", 0x15n],
  "perm-store-local": ["PermitStoreLocalCapViolation", 0x16n],
  "perm-cinvoke": ["PermitCInvokeViolation", 0x19n],
};

const registers: Readonly<Record<string, bigint>> = { cs1: 10n, cs2: 11n, ddc: 33n };

const misaligned = {
  load: ["LoadAddressMisaligned", 0x4n],
  store: ["StoreAddressMisaligned", 0x6n],
  jump: ["InstructionAddressMisaligned", 0x0n],
} as const;

const trapped = (
  { trap, operand }: Trap,
  access: keyof typeof misaligned,
  address = 0n,
  authority = "cs1",
): InstructionResult => {
  if (trap === "align") {
    const [cause, code] = misaligned[access];
    // For a misaligned jump the executed `mtval` is what the machine's last fault left there: it is not compared.
    return { trap: { cause, code, register: null, mcause: code, ...(access === "jump" ? {} : { mtval: address }) } };
  }
  const register = operand === "cs1" ? authority : operand;
  const [cause, code] = cheriCauses[trap] ?? [trap, 0n];
  return { trap: { cause, code, register, mcause: 0x1cn, mtval: (registers[register] ?? 0n) * 32n + code } };
};

const derived = (of: Capability): InstructionResult => ({ cd: described(of) });
const integer = (value: bigint | boolean): InstructionResult => ({ rd: BigInt(value) });

/** The memory of a vector as a run of granules. */
const run = (granules: VectorMemory): { readonly start: bigint; readonly memory: TaggedMemory } => ({
  start: granules[0]?.at ?? 0n,
  memory: granules.map(({ tag, address, metadata }) => ({ tag, bits: format.toMemory({ address, metadata }) })),
});

const stored = (start: bigint, memory: TaggedMemory): InstructionResult => ({
  memory: memory.map(({ tag, bits }, index) => ({
    at: start + BigInt(index) * format.granule,
    tag,
    ...format.fromMemory(bits),
  })),
});

/** Authority and address of an access: those of `cs1`, or `ddc` and `rs1` in the explicit-DDC forms. */
const access = (op: string, inputs: Inputs) => {
  const explicit = op.endsWith(".ddc");
  const name = explicit ? "ddc" : "cs1";
  const authority = capability(required(inputs[name], name));
  return { authority, name, address: explicit ? required(inputs.rs1, "rs1") : authority.address };
};

const widths: Readonly<Record<string, bigint>> = { b: 1n, h: 2n, w: 4n, d: 8n };

const memoryAccess = (op: string, inputs: Inputs): InstructionResult | undefined => {
  const [verb, width] = op.split(".");
  const { authority, name, address } = access(op, inputs);
  const kind = verb === "store" ? "store" : "load";
  const when = (check: Check, act: (start: bigint, memory: TaggedMemory, offset: bigint) => InstructionResult) => {
    if (check !== undefined) return trapped(check, kind, address, name);
    const { start, memory } = run(required(inputs.memory, "memory"));
    return act(start, memory, address - start);
  };
  if (op === "cloadtags") {
    return when(checkLoadTags(format, authority, address), (_, memory, offset) =>
      integer(loadTagGroup(format, memory, offset)),
    );
  }
  if (width === "c" && verb === "load") {
    return when(checkLoadCap(format, authority, address), (_, memory, offset) =>
      derived(afterLoad(format, authority, loadGranule(format, memory, offset))),
    );
  }
  if (width === "c" && verb === "store") {
    const value = capability(required(inputs.cs2, "cs2"));
    return when(checkStoreCap(format, authority, address, value), (start, memory, offset) =>
      stored(start, storeGranule(format, memory, offset, beforeStore(format, authority, value))),
    );
  }
  const size = widths[width?.charAt(0) ?? ""];
  if (size === undefined) return undefined;
  if (verb === "load") {
    return when(checkLoad(format, authority, address, size), (_, memory, offset) =>
      integer(extend(format, loadBytes(format, memory, offset, size), size, width?.endsWith("u") ?? false)),
    );
  }
  const value = required(inputs.rs2, "rs2");
  return when(checkStore(format, authority, address, size), (start, memory, offset) =>
    stored(start, storeBytes(format, memory, offset, size, value)),
  );
};

const register: Readonly<Record<string, (o: Operands) => InstructionResult>> = {
  csetbounds: (o) => derived(setBounds(format, o.cs1, o.rs2)),
  csetboundsexact: (o) => derived(setBoundsExact(format, o.cs1, o.rs2)),
  csetboundsimm: (o) => derived(setBounds(format, o.cs1, o.imm)),
  cincoffset: (o) => derived(incOffset(format, o.cs1, o.rs2)),
  cincoffsetimm: (o) => derived(incOffset(format, o.cs1, o.imm)),
  csetaddr: (o) => derived(setAddress(format, o.cs1, o.rs2)),
  csetoffset: (o) => derived(setOffset(format, o.cs1, o.rs2)),
  candperm: (o) => derived(andPermissions(format, o.cs1, o.rs2)),
  csetflags: (o) => derived(setFlags(format, o.cs1, o.rs2)),
  csethigh: (o) => derived(setHigh(format, o.cs1, o.rs2)),
  cfromptr: (o) => derived(fromPointer(format, o.cs1, o.rs2)),
  cseal: (o) => derived(seal(format, o.cs1, o.cs2)),
  ccseal: (o) => derived(conditionalSeal(format, o.cs1, o.cs2)),
  cunseal: (o) => derived(unseal(format, o.cs1, o.cs2)),
  cbuildcap: (o) => derived(buildCap(format, o.cs1, o.cs2)),
  ccopytype: (o) => derived(copyType(format, o.cs1, o.cs2)),
  csealentry: (o) => derived(sealEntry(format, o.cs1)),
  ccleartag: (o) => derived(clearTag(o.cs1)),
  cmove: (o) => derived(o.cs1),
  ctestsubset: (o) => integer(testSubset(format, o.cs1, o.cs2)),
  csub: (o) => integer(subtract(format, o.cs1, o.cs2)),
  csetequalexact: (o) => integer(equalExact(o.cs1, o.cs2)),
  ctoptr: (o) => integer(toPointer(format, o.cs1, o.cs2)),
  crrl: (o) => integer(representableLength(format, o.rs1)),
  cram: (o) => integer(representableAlignmentMask(format, o.rs1)),
  cgetperm: (o) => integer(getPermissions(format, o.cs1)),
  cgettype: (o) => integer(getType(format, o.cs1)),
  cgetbase: (o) => integer(o.cs1.base),
  cgetlen: (o) => integer(getLength(format, o.cs1)),
  cgettag: (o) => integer(o.cs1.tag),
  cgetsealed: (o) => integer(isSealed(format, o.cs1)),
  cgetoffset: (o) => integer(getOffset(format, o.cs1)),
  cgetflags: (o) => integer(o.cs1.flags),
  cgetaddr: (o) => integer(o.cs1.address),
  cgethigh: (o) => integer(getHigh(format, o.cs1)),
  cjalr: (o) => {
    const jump = jumpAndLink(format, o.pcc, o.cs1);
    if ("trap" in jump) return trapped(jump, "jump");
    return { pcc: described(jump.pcc), cd: described(jump.link) };
  },
  cinvoke: (o) => {
    const jump = invoke(format, o.cs1, o.cs2);
    if ("trap" in jump) return trapped(jump, "jump");
    return { pcc: described(jump.pcc), c31: described(jump.data) };
  },
};

/**
 * What the specification says of an instruction vector; undefined for an instruction that is not known. The inputs'
 * decoded fields are answered, too: a vector's operand that we decode otherwise is a mismatch.
 */
export const answerInstruction = (
  row: InstructionRow,
): { readonly inputs: Readonly<Record<string, VectorCapability>>; readonly result: InstructionResult } | undefined => {
  const rule = register[row.op];
  const result =
    rule === undefined
      ? /^((load|store)\.[a-z]+\.(cap|ddc)|cloadtags)$/.test(row.op)
        ? memoryAccess(row.op, row.inputs)
        : undefined
      : rule(operands(row.inputs));
  if (result === undefined) return undefined;
  const names = ["cs1", "cs2", "ddc", "pcc"] as const;
  const inputs = Object.fromEntries(
    names.flatMap((name) => {
      const given = row.inputs[name];
      return given === undefined ? [] : [[name, described(capability(given))]];
    }),
  );
  return { inputs, result };
};

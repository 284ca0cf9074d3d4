/**
 * The shape of vector files (`tests/vectors/README.md`): a header line, then one vector a line. Data only comes in here,
 * hence zod. Objects are strict: a field that is not known here makes a vector count as skipped, never as passed.
 */
import { z } from "zod";
import { formats, type FormatName } from "../../spec/cheri/index.js";
import { quote, shorten } from "../errors.js";

const codecKinds = ["decode", "setbounds", "setaddr", "crrl", "perms", "seal", "relocate"] as const;

export type CodecKind = (typeof codecKinds)[number];

const kinds = [...codecKinds, "instructions"] as const;

/** Formats that there are vectors for: `uncompressed256` is this project's own layout. */
const formatNames = (Object.keys(formats) as FormatName[]).filter((name) => name !== "uncompressed256");

const oneOf = (what: string, names: readonly string[]) => ({
  error: (issue: { readonly input?: unknown }) =>
    `unknown ${what} ${quote(issue.input)}; known are ${names.join(", ")}`,
});

export const headerSchema = z.object({
  format: z.enum(formatNames, oneOf("format", formatNames)),
  kind: z.enum(kinds, oneOf("kind", kinds)),
  count: z.int().nonnegative(),
});

export type Header = z.infer<typeof headerSchema>;

/** A lower-case hexadecimal string of at most `width` bits. */
const hex = (width: number) =>
  z
    .string()
    .regex(/^0x[0-9a-f]+$/)
    .transform((text, context) => {
      const value = BigInt(text);
      if (value < 1n << BigInt(width)) return value;
      context.addIssue({ code: "custom", message: `${shorten(text)} does not fit ${String(width)} bits` });
      return z.NEVER;
    });

const flag = z.boolean();

/** The rows of the codec kinds, for a format. */
export const codecRowSchemas = (name: FormatName) => {
  const format = formats[name];
  const address = hex(Number(format.addressBits));
  const bound = hex(Number(format.addressBits) + 1);
  const otype = hex(18);
  const permissions = hex(32);
  const word = { pesbt: hex(Number(format.metadataBits)), cursor: address };
  const parent = { ...word, tag: flag };
  const bounds = { base: address, top: bound };
  const permissionParts = { allPerms: permissions, perms: permissions, uperms: permissions };
  const modeParts = format.transfer === "rvy" ? { mode: hex(1), level: hex(1) } : {};
  const row = <In extends z.ZodRawShape, Out extends z.ZodRawShape>(into: In, out: Out) =>
    z.strictObject({ in: z.strictObject(into), out: z.strictObject(out) });
  return {
    decode: row(parent, {
      ...bounds,
      ...permissionParts,
      ...modeParts,
      ...(format.transfer === "v9" ? { flags: hex(1) } : {}),
      ...(name === "morello" ? { boundsAddress: address } : {}),
      ...(format.reservedBits(~0n) === 0n ? {} : { reserved: hex(Number(format.metadataBits)) }),
      length: bound,
      address,
      otype,
      sealed: flag,
      exponent: hex(8),
      internalExponent: flag,
      boundsValid: flag,
    }),
    setbounds: row(
      // The library takes the length of the whole address space, too; a register cannot hold it.
      { ...parent, base: address, length: bound },
      { ...word, ...bounds, exact: flag, tag: flag, tagAfterSetAddr: flag },
    ),
    setaddr: row(
      { ...parent, newAddress: address },
      { ...word, ...bounds, tag: flag, representable: flag, representablePrecise: flag, inBounds: flag },
    ),
    crrl: row({ length: address }, { representableLength: address, alignmentMask: address }),
    perms: row(
      { ...parent, mask: permissions },
      { ...word, ...permissionParts, ...modeParts, encodable: flag, exact: flag },
    ),
    seal: row({ ...parent, otype, fromOtype: otype }, { ...word, ...bounds, otype, sealed: flag, reserved: flag }),
    relocate: row(
      {
        ...parent,
        ...bounds,
        delta: address,
        negative: flag,
        exponent: hex(8),
        internalExponent: flag,
        deltaClass: z.string(),
        where: z.string(),
      },
      { ...word, ...bounds, representable: flag, boundsExact: flag, reachable: flag, sameMetadata: flag },
    ),
  } as const satisfies Record<CodecKind, z.ZodType>;
};

type CodecRowSchemas = ReturnType<typeof codecRowSchemas>;

/** The inputs of a codec kind's row. */
export type CodecRowIn<Kind extends CodecKind> = z.infer<CodecRowSchemas[Kind]>["in"];

const word64 = hex(64);

/** A capability in an instruction vector. `top` is absent where it cannot be told from outside. */
const capability = z.strictObject({
  tag: flag,
  base: word64,
  top: hex(65).optional(),
  length: word64,
  address: word64,
  perms: hex(12),
  uperms: hex(4),
  otype: hex(18),
  sealed: flag,
  flags: hex(1),
  metadata: word64,
});

const memory = z.array(z.strictObject({ at: word64, tag: flag, address: word64, metadata: word64 })).min(1);

const result = z.strictObject({
  cd: capability.optional(),
  rd: word64.optional(),
  memory: memory.optional(),
  pcc: capability.optional(),
  c31: capability.optional(),
  trap: z
    .strictObject({
      cause: z.string(),
      code: hex(8),
      register: z.string().nullable(),
      mcause: hex(8),
      mtval: word64.optional(),
    })
    .optional(),
});

export const instructionRowSchema = z.strictObject({
  op: z.string(),
  inputs: z.strictObject({
    cs1: capability.optional(),
    cs2: capability.optional(),
    ddc: capability.optional(),
    pcc: capability.optional(),
    rs1: word64.optional(),
    rs2: word64.optional(),
    imm: word64.optional(),
    memory: memory.optional(),
  }),
  result,
  sail_result: result.optional(),
});

export type InstructionRow = z.infer<typeof instructionRowSchema>;
export type VectorCapability = z.infer<typeof capability>;
export type VectorMemory = z.infer<typeof memory>;
export type InstructionResult = z.infer<typeof result>;

/** Cores made by hand, byte by byte, so that a test knows what is in them. */

interface Piece {
  readonly start: number;
  /** Stored; the rest of the memory is not in the file. */
  readonly bytes: Uint8Array;
  /** Default: what is stored, in pages. */
  readonly size?: number;
  /** Bits: 1 execute, 2 write, 4 read. */
  readonly flags: number;
}

export interface CoreParts {
  readonly machine?: number;
  readonly pieces: readonly Piece[];
  /** Registers of each thread, in the order of the note. */
  readonly threads?: readonly (readonly bigint[])[];
  readonly files?: readonly { readonly start: number; readonly end: number; readonly name: string }[];
  readonly vdso?: number;
}

export const pageOf = (words: Readonly<Record<number, bigint>>, size = 4096): Uint8Array => {
  const page = Buffer.alloc(size);
  for (const [offset, word] of Object.entries(words)) page.writeBigUInt64LE(word, Number(offset));
  return page;
};

export const note = (type: number, content: Uint8Array, name = "CORE\0"): Buffer => {
  const head = Buffer.alloc(12 + Math.ceil(name.length / 4) * 4);
  [name.length, content.length, type].forEach((value, index) => head.writeUInt32LE(value, index * 4));
  head.write(name, 12, "latin1");
  return Buffer.concat([head, content, Buffer.alloc((4 - (content.length % 4)) % 4)]);
};

const status = (registers: readonly bigint[], count: number): Buffer => {
  const content = Buffer.alloc(112 + count * 8 + 8);
  registers.forEach((value, index) => content.writeBigUInt64LE(value, 112 + index * 8));
  return note(1, content);
};

const fileNote = (files: NonNullable<CoreParts["files"]>): Buffer => {
  const head = Buffer.alloc(16 + files.length * 24);
  head.writeBigUInt64LE(BigInt(files.length), 0);
  head.writeBigUInt64LE(4096n, 8);
  files.forEach(({ start, end }, index) => {
    head.writeBigUInt64LE(BigInt(start), 16 + index * 24);
    head.writeBigUInt64LE(BigInt(end), 24 + index * 24);
  });
  return note(0x46494c45, Buffer.concat([head, Buffer.from(files.map(({ name }) => `${name}\0`).join(""))]));
};

const auxiliary = (vdso: number): Buffer => {
  const content = Buffer.alloc(32);
  content.writeBigUInt64LE(33n, 0);
  content.writeBigUInt64LE(BigInt(vdso), 8);
  return note(6, content);
};

/** Where a program header begins; number 0 is that of the notes. */
export const entryAt = (index: number): number => 64 + index * 56;

export const makeCore = ({ machine = 62, pieces, threads = [], files = [], vdso }: CoreParts): Buffer => {
  const notes = Buffer.concat([
    ...threads.map((registers) => status(registers, machine === 62 ? 27 : 34)),
    ...(files.length > 0 ? [fileNote(files)] : []),
    ...(vdso === undefined ? [] : [auxiliary(vdso)]),
  ]);
  const header = Buffer.alloc(entryAt(pieces.length + 1));
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(4, 16);
  header.writeUInt16LE(machine, 18);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(pieces.length + 1, 56);
  header.writeUInt32LE(4, 64);
  header.writeBigUInt64LE(BigInt(header.length), 72);
  header.writeBigUInt64LE(BigInt(notes.length), 96);
  let offset = header.length + notes.length;
  pieces.forEach(({ start, bytes, size, flags }, index) => {
    const entry = entryAt(index + 1);
    header.writeUInt32LE(1, entry);
    header.writeUInt32LE(flags, entry + 4);
    header.writeBigUInt64LE(BigInt(offset), entry + 8);
    header.writeBigUInt64LE(BigInt(start), entry + 16);
    header.writeBigUInt64LE(BigInt(bytes.length), entry + 32);
    header.writeBigUInt64LE(BigInt(size ?? Math.ceil(bytes.length / 4096) * 4096), entry + 40);
    offset += bytes.length;
  });
  return Buffer.concat([header, notes, ...pieces.map(({ bytes }) => bytes)]);
};

/** A program of a page of code, two of data, of which the second is zero, and one of stack. */
export const text = 0x400000;
export const data = 0x600000;
export const stack = 0x7ffd00000000;

/** Registers in the order of x86-64's note. */
export const registers = (named: {
  readonly rsp: number;
  readonly rip: number;
  readonly rbx?: number;
}): readonly bigint[] =>
  Array.from({ length: 27 }, (_, index) => {
    if (index === 5) return BigInt(named.rbx ?? 0);
    if (index === 16) return BigInt(named.rip);
    return index === 19 ? BigInt(named.rsp) : BigInt(1000 + index);
  });

export const dataPage = pageOf({
  // A pointer to the stack, one into the middle of a word of the code, an integer, and one behind the end of the data.
  0x10: BigInt(stack + 0x20),
  0x18: BigInt(text + 0x13),
  0x20: 0x1234n,
  0xff8: BigInt(data + 0x2000),
});

export const smallCore = (): Buffer =>
  makeCore({
    pieces: [
      { start: text, bytes: pageOf({ 0: 0xc3n }), flags: 5 },
      { start: data, bytes: Buffer.concat([dataPage, Buffer.alloc(4096)]), flags: 6 },
      { start: stack, bytes: pageOf({ 0x20: BigInt(data + 0x18) }), flags: 6 },
    ],
    threads: [registers({ rsp: stack + 0x28, rip: text + 8, rbx: data + 0x10 })],
    files: [{ start: text, end: text + 0x1000, name: "/usr/bin/small" }],
  });

/** The notes of a core (Linux fs/binfmt_elf.c): registers of threads, files that were mapped, where the vdso lies. */
import { InputError } from "../errors.js";
import type { CoreMachine } from "./elf.js";

/** Registers by their names. */
export type Registers = ReadonlyMap<string, bigint>;

interface MappedFile {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

export interface Notes {
  /** The thread that was running, or that gcore names first, comes first. */
  readonly threads: readonly Registers[];
  readonly files: readonly MappedFile[];
  /** Where the kernel's page for the program begins, if it says. */
  readonly vdso: number | undefined;
}

const noteStatus = 1;
const noteAuxiliary = 6;
const noteFile = 0x46494c45;

/** The entry of the auxiliary vector that says where the vdso begins. */
const sysinfo = 33n;

/** Before the registers come the signal, the masks, the ids and the times. */
const registersAt = 112;

const numbered = (prefix: string, first: number, last: number): readonly string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `${prefix}${first + index}`);

const registerNames: Readonly<Record<CoreMachine, readonly string[]>> = {
  "x86-64": [
    ...["r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi"],
    ...["orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs"],
  ],
  aarch64: [...numbered("x", 0, 30), "sp", "pc", "pstate"],
};

const largest = BigInt(Number.MAX_SAFE_INTEGER);

const address = (value: bigint): number => Number(value > largest ? largest : value);

const filesOf = (note: DataView, refuse: (what: string) => never): readonly MappedFile[] => {
  const [count = 0n, unit = 0n] = note.byteLength < 16 ? [] : [note.getBigUint64(0, true), note.getBigUint64(8, true)];
  if (unit === 0n || 16n + count * 24n > BigInt(note.byteLength)) refuse("the note of mapped files is too short");
  const names = new Uint8Array(
    note.buffer,
    note.byteOffset + 16 + Number(count) * 24,
    note.byteLength - 16 - Number(count) * 24,
  );
  const texts = new TextDecoder().decode(names).split("\0");
  return Array.from({ length: Number(count) }, (_, index) => ({
    start: address(note.getBigUint64(16 + index * 24, true)),
    end: address(note.getBigUint64(24 + index * 24, true)),
    name: texts[index] ?? "",
  }));
};

const vdsoOf = (note: DataView): number | undefined => {
  for (let at = 0; at + 16 <= note.byteLength; at += 16) {
    if (note.getBigUint64(at, true) === sysinfo) return address(note.getBigUint64(at + 8, true));
  }
  return undefined;
};

/** What the notes say; throws the `InputError` of one that does not fit together. */
export const readNotes = (file: string, machine: CoreMachine, segments: readonly Uint8Array[]): Notes => {
  const refuse = (what: string): never => {
    throw new InputError(file, undefined, `${what}; it is damaged, copy it again`);
  };
  const threads: Registers[] = [];
  let files: readonly MappedFile[] = [];
  let vdso: number | undefined;
  const names = registerNames[machine];
  for (const bytes of segments) {
    const all = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 12 <= bytes.length;) {
      const [nameSize, size, type] = [0, 4, 8].map((place) => all.getUint32(at + place, true));
      if (nameSize === undefined || size === undefined || type === undefined) break;
      const start = at + 12 + Math.ceil(nameSize / 4) * 4;
      if (start + size > bytes.length) return refuse("a note reaches over the end of the notes");
      const owner = new TextDecoder("latin1").decode(bytes.subarray(at + 12, at + 12 + Math.min(nameSize, 5)));
      const note = new DataView(bytes.buffer, bytes.byteOffset + start, size);
      at = start + Math.ceil(size / 4) * 4;
      if (!owner.startsWith("CORE")) continue;
      if (type === noteStatus) {
        if (size < registersAt + names.length * 8) return refuse("the note of a thread is too short");
        threads.push(new Map(names.map((name, index) => [name, note.getBigUint64(registersAt + index * 8, true)])));
      } else if (type === noteFile) files = filesOf(note, refuse);
      else if (type === noteAuxiliary) vdso = vdsoOf(note);
    }
  }
  return { threads, files, vdso };
};

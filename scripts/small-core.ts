/**
 * A small copy of a core, for a fixture: writable pages that are not zero, registers, names of mappings; nothing of the
 * machine that it was made on. examples/images/README.md says how to use it.
 *
 * npm run small-core -- CORE MAPS OUT.gz [WORD...]: each word is written over wherever it stands.
 */
import { writeFileSync } from "node:fs";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { readHeaders, sourcePage, type Segment } from "../conformance/image/elf.js";
import { at } from "../conformance/image/mappings.js";
import { readMaps, type MapsLine } from "../conformance/image/maps.js";
import { bytesAt, openSource, type Source } from "../conformance/image/source.js";

const [core = "", maps = "", out = "", ...words] = process.argv.slice(2);

/** One note of a core, as it stands in the file. */
interface Note {
  readonly type: number;
  readonly whole: Uint8Array;
  readonly content: DataView;
}

const notesOf = (bytes: Uint8Array): readonly Note[] => {
  const notes: Note[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let place = 0; place + 12 <= bytes.length;) {
    const [name, size] = [view.getUint32(place, true), view.getUint32(place + 4, true)];
    const start = place + 12 + Math.ceil(name / 4) * 4;
    const end = start + Math.ceil(size / 4) * 4;
    const isCore = new TextDecoder().decode(bytes.subarray(place + 12, place + 16)) === "CORE";
    const content = new DataView(bytes.buffer, bytes.byteOffset + start, size);
    if (isCore) notes.push({ type: view.getUint32(place + 8, true), whole: bytes.slice(place, end), content });
    place = end;
  }
  return notes;
};

/** Where the strings begin that the kernel puts above the stack: arguments, environment, the program's name. */
const stringsAt = (notes: readonly Note[]): number => {
  const vector = notes.find(({ type }) => type === 6)?.content;
  const starts: number[] = [];
  for (let place = 0; vector !== undefined && place + 16 <= vector.byteLength; place += 16) {
    // The platform, 16 random bytes, and the program's name.
    const isString = [15n, 25n, 31n].includes(vector.getBigUint64(place, true));
    if (isString) starts.push(Number(vector.getBigUint64(place + 8, true)));
  }
  if (starts.length === 0) throw new Error(`${core} has no auxiliary vector, so its environment cannot be found`);
  return Math.min(...starts);
};

const contentOf = (source: Source, segments: readonly Segment[], line: MapsLine, strings: number): Uint8Array => {
  const bytes = new Uint8Array(line.end - line.start);
  for (let address = line.start; address < line.end; address += sourcePage) {
    const segment = at(segments, address);
    if (segment === undefined || address - segment.start >= segment.stored) continue;
    const length = Math.min(sourcePage, segment.stored - (address - segment.start));
    bytes.set(bytesAt(source, segment.offset + address - segment.start, length), address - line.start);
  }
  if (strings > line.start && strings < line.end) bytes.fill(0, strings - line.start);
  const buffer = Buffer.from(bytes.buffer);
  for (const word of words) {
    for (let found = buffer.indexOf(word); found >= 0; found = buffer.indexOf(word, found)) {
      buffer.fill("x", found, found + Buffer.byteLength(word));
    }
  }
  // Zeros at the end need not be stored.
  let end = bytes.length;
  while (end > 0 && bytes.subarray(end - sourcePage, end).every((byte) => byte === 0)) end -= sourcePage;
  return bytes.subarray(0, end);
};

const fileNote = (lines: readonly MapsLine[]): Uint8Array => {
  const named = lines.filter(({ name }) => name.startsWith("/usr/"));
  const names = Buffer.from(named.map(({ name }) => `${name}\0`).join(""));
  const content = Buffer.alloc(16 + named.length * 24 + names.length);
  content.writeBigUInt64LE(BigInt(named.length), 0);
  content.writeBigUInt64LE(BigInt(sourcePage), 8);
  named.forEach(({ start, end }, index) => {
    content.writeBigUInt64LE(BigInt(start), 16 + index * 24);
    content.writeBigUInt64LE(BigInt(end), 24 + index * 24);
  });
  names.copy(content, 16 + named.length * 24);
  const note = Buffer.alloc(20 + Math.ceil(content.length / 4) * 4);
  [5, content.length, 0x46494c45].forEach((value, index) => note.writeUInt32LE(value, index * 4));
  note.write("CORE", 12);
  content.copy(note, 20);
  return note;
};

const source = openSource(core);
const { segments, notes, machine } = readHeaders(source);
const all = notes.flatMap(notesOf);
const kernels = ["[vdso]", "[vvar]", "[vsyscall]"];
const lines = readMaps(maps).filter(({ name, protection: { read, write, execute } }) => {
  return !kernels.includes(name) && (read || write || execute);
});
const strings = stringsAt(all);
const kept = lines.map((line) =>
  line.protection.write ? contentOf(source, segments, line, strings) : new Uint8Array(),
);
const note = Buffer.concat([...all.filter(({ type }) => type === 1).map(({ whole }) => whole), fileNote(lines)]);

const header = Buffer.alloc(64 + 56 * (lines.length + 1));
header.write("\x7fELF\x02\x01\x01", 0, "latin1");
header.writeUInt16LE(4, 16);
header.writeUInt16LE(machine === "x86-64" ? 62 : 183, 18);
header.writeUInt32LE(1, 20);
header.writeBigUInt64LE(64n, 32);
header.writeUInt16LE(64, 52);
header.writeUInt16LE(56, 54);
header.writeUInt16LE(lines.length + 1, 56);
header.writeUInt32LE(4, 64);
header.writeBigUInt64LE(BigInt(header.length), 72);
header.writeBigUInt64LE(BigInt(note.length), 96);
let offset = header.length + note.length;
lines.forEach(({ start, end, protection: { read, write, execute } }, index) => {
  const entry = 64 + 56 * (index + 1);
  const size = kept[index]?.length ?? 0;
  header.writeUInt32LE(1, entry);
  header.writeUInt32LE((read ? 4 : 0) | (write ? 2 : 0) | (execute ? 1 : 0), entry + 4);
  header.writeBigUInt64LE(BigInt(offset), entry + 8);
  header.writeBigUInt64LE(BigInt(start), entry + 16);
  header.writeBigUInt64LE(BigInt(size), entry + 32);
  header.writeBigUInt64LE(BigInt(end - start), entry + 40);
  offset += size;
});
writeFileSync(out, gzipSync(Buffer.concat([header, note, ...kept]), { level: 9 }));
source.close();

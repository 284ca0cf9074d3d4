/** Templates for corner cases of the kernel at a process's memory. */
import type { kernelCopyCases } from "../../corner-cases/kernel-copies.js";
import { imm, roles, type Scene } from "../scene.js";
import { addressed, anywhere, everywhere, nothing, protect, rawBytes, readOnly, readWrite } from "../template.js";
import type { Template, Templates } from "../template.js";
import { granted } from "./grants.js";
import { either, get, getInto, party, pipe, pointTo, put, withPipe, type Ends, type Party } from "./objects.js";

type Act = (scene: Scene, parent: Party, child: Party, ends: Ends) => void;

/** A pipe with bytes in it, and a fork. */
const forked = (act: Act, weight = 3): Template =>
  withPipe((scene, parent, ends) => {
    put(scene, parent.thread, ends.write, 8);
    const child = scene.fork(parent.thread);
    if (child !== undefined) act(scene, parent, child, ends);
  }, weight);

/** What is there now: bytes, where nothing else can be; otherwise whatever it is, which reads no bytes of pointers. */
const look = (scene: Scene, thread: number, offset: number): void => {
  const place = { n: imm(offset), cs1: roles.data };
  if (scene.profile === "posix") scene.act(thread, { op: "load.w", cd: 7, ...place });
  else scene.act(thread, { op: "loadcap", cd: 8, ...place });
};

/** The border between two pages of the data part. */
const border = (scene: Scene): number => scene.dataPage(true);

/** A page that may not be touched so, and is made as it was afterwards. */
const guarded = (
  act: (scene: Scene, who: Party, page: number, ends: Ends) => void,
  isRead: boolean,
  weight = 2,
): Template =>
  withPipe((scene, who, ends) => {
    const page = scene.dataPage(true);
    put(scene, who.thread, ends.write, 8);
    protect(scene, who.thread, page, isRead ? nothing : scene.random.pick([readOnly, readOnly, nothing]));
    act(scene, who, page, ends);
    protect(scene, who.thread, page, readWrite);
    get(scene, who.thread, ends.read);
  }, weight);

export const kernelCopyTemplates: Templates<keyof typeof kernelCopyCases> = {
  "copy-out-to-shared": forked((scene, parent, child, { read }) => {
    const at = scene.granule();
    const [reader, other] = either(scene, [parent, child], [child, parent]);
    getInto(scene, reader.thread, read, at, scene.random.between(1, 8));
    look(scene, other.thread, at);
  }),
  "copy-out-to-unresolved": forked((scene, _, child, { read }) => {
    getInto(scene, child.thread, read, scene.granule(), 4);
  }),
  "copy-out-takes-over": forked((scene, parent, child, { read }) => {
    const at = scene.granule();
    if (scene.random.once(2)) scene.end(child.life);
    else scene.act(child.thread, { op: "store.b", value: imm(1), n: imm(at), cs1: roles.data });
    getInto(scene, parent.thread, read, at, 4);
  }),
  "copy-out-to-read-only": guarded((scene, { thread }, page, { read }) => {
    getInto(scene, thread, read, page + scene.random.below(8), 8);
  }, false),
  "copy-out-crosses-into-read-only": anywhere((scene) => {
    const who = party(scene);
    const ends = pipe(scene, who);
    if (ends === undefined) return;
    const page = border(scene);
    put(scene, who.thread, ends.write, 8);
    protect(scene, who.thread, page, readOnly);
    if (scene.random.once(2)) scene.fork(who.thread);
    getInto(scene, who.thread, ends.read, page - 4, 8);
    protect(scene, who.thread, page, readWrite);
    getInto(scene, who.thread, ends.read, page - 4, 8);
  }, 3),
  "copy-out-over-pointer": withPipe((scene, { thread }, { read, write }) => {
    const at = scene.granule();
    scene.plant(thread, at);
    put(scene, thread, write, scene.measures.granule);
    const within = scene.random.once(2) ? at : at + scene.random.below(scene.measures.granule - 2);
    getInto(scene, thread, read, within, scene.random.between(1, scene.measures.granule));
    look(scene, thread, at);
  }),
  "copy-out-after-fork": everywhere((scene) => {
    const parent = party(scene);
    const ends = pipe(scene, parent);
    if (ends === undefined) return;
    const [from, to] = [scene.granule(), scene.granule()];
    scene.act(parent.thread, { op: "store.w", value: imm(scene.random.below(1 << 16)), n: imm(0), cs1: roles.stack });
    if (scene.random.once(2)) scene.plant(parent.thread, to);
    scene.act(parent.thread, { op: "write", d: ends.write, cs1: roles.stack, n: imm(8) });
    const child = scene.fork(parent.thread);
    if (child === undefined) return;
    const [reader, other] = either(scene, [parent, child], [child, parent]);
    getInto(scene, reader.thread, ends.read, to, 8);
    look(scene, other.thread, to);
    look(scene, reader.thread, to);
    look(scene, other.thread, from);
  }, 4),
  "copy-out-to-foreign": addressed((scene) => {
    const grant = granted(scene);
    if (grant === undefined) return;
    const ends = pipe(scene, grant.receiver);
    if (ends === undefined) return;
    put(scene, grant.receiver.thread, ends.write, 8);
    if (scene.random.once(2)) scene.fork(grant.owner.thread, [grant.receiver.life]);
    scene.act(grant.receiver.thread, { op: "read", d: ends.read, cs1: grant.register, n: imm(4) });
    look(scene, grant.owner.thread, grant.offset);
  }),
  "copy-in-from-unresolved": withPipe((scene, parent, { read, write }) => {
    const child = scene.fork(parent.thread);
    if (child === undefined) return;
    scene.act(child.thread, { op: "write", d: write, cs1: roles.stack, n: imm(8) });
    get(scene, parent.thread, read, 8);
  }),
  "copy-in-unreadable": guarded((scene, { thread }, page, { write }) => {
    pointTo(scene, thread, 9, page);
    scene.act(thread, { op: "write", d: write, cs1: 9, n: imm(4) });
  }, true),
  "copy-in-of-pointer": rawBytes((scene) => {
    const who = party(scene);
    const ends = pipe(scene, who);
    if (ends === undefined) return;
    const at = scene.granule();
    scene.plant(who.thread, at);
    const child = scene.random.once(2) ? scene.fork(who.thread) : undefined;
    const writer = child?.thread ?? who.thread;
    pointTo(scene, writer, 9, at);
    scene.act(writer, { op: "write", d: ends.write, cs1: 9, n: imm(scene.measures.granule) });
    get(scene, who.thread, ends.read, scene.measures.granule);
  }),
  "copy-of-two-pages": forked((scene, _, child, { read }) => {
    const page = border(scene);
    if (scene.random.once(2)) scene.act(child.thread, { op: "store.b", value: imm(1), n: imm(page), cs1: roles.data });
    getInto(scene, child.thread, read, page - 4, 8);
  }),
  "vector-of-two-pages": forked((scene, parent, child, { read, write }) => {
    const { thread } = either(scene, parent, child);
    pointTo(scene, thread, 9, scene.granule());
    put(scene, thread, write, 8);
    scene.act(thread, { op: "readv", d: read, cs1: roles.stack, n: imm(3), cs2: 9, n2: imm(8) });
    scene.act(thread, { op: "writev", d: write, cs1: roles.shared, n: imm(3), cs2: roles.stack, n2: imm(2) });
  }),
  "vector-refused-by-second": anywhere((scene) => {
    const who = party(scene);
    const ends = pipe(scene, who);
    if (ends === undefined) return;
    const page = scene.dataPage(true);
    put(scene, who.thread, ends.write, 8);
    protect(scene, who.thread, page, nothing);
    pointTo(scene, who.thread, 9, page);
    const buffers = { cs1: roles.stack, n: imm(4), cs2: 9, n2: imm(4) };
    if (scene.random.once(2)) scene.act(who.thread, { op: "readv", d: ends.read, ...buffers });
    else scene.act(who.thread, { op: "writev", d: ends.write, ...buffers });
    protect(scene, who.thread, page, readWrite);
  }),
  "vector-overlap": withPipe((scene, { thread }, { read, write }) => {
    put(scene, thread, write, 8);
    const at = scene.granule();
    pointTo(scene, thread, 9, at);
    scene.act(thread, { op: "readv", d: read, cs1: 9, n: imm(4), cs2: 9, n2: imm(4) });
    look(scene, thread, at);
  }),
};

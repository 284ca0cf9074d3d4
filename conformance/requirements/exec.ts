/** Another image after a fork. */
import { inOrder, keyIf } from "./detector.js";
import type { Now } from "./now.js";
import type { Section } from "./requirement.js";

/** A process executes another image. */
const executes = (now: Now): readonly string[] => keyIf(now.did("exec"), now.process);

const hasDescriptors = ({ self }: Now): boolean => self?.descriptors.some((one) => one !== undefined) === true;

/** Something that exec keeps, or makes the default, is not what a process starts with. */
const hasAttributes = ({ self, ownThread }: Now): boolean =>
  self !== undefined &&
  (self.actions.size > 0 || self.pending.length > 0 || self.alarm || (ownThread?.mask.length ?? 0) > 0);

/** A page that a fork shared, whose frame nobody else maps any more. */
const takesOver = ({ succeeded, writes, touched }: Now): boolean =>
  succeeded &&
  writes.length > 0 &&
  touched.some(({ entry, frame }) => entry?.guard === true && frame?.references === 1);

export const exec: Section = {
  title: "Another image",
  rows: [
    {
      id: "E01",
      requirement: "exec keeps pid, parent, children, and descriptors that are not marked close-on-exec.",
      tier: "core",
      rules: ["EXEC-2 exec"],
      operations: ["fork", "exec", "fcntl_cloexec", "fcntl_getfd", "getpid", "getppid", "wait"],
      counts: "a process with descriptors executes another image, and uses one, or asks who it is",
      exercised: inOrder(
        (now) => (hasDescriptors(now) ? executes(now) : []),
        (now) => keyIf(now.descriptor !== undefined || now.is("getpid", "getppid"), now.process),
      ),
    },
    {
      id: "E02",
      requirement: "exec makes handlers default; ignored signals, mask, pending signals and attributes stay.",
      tier: "second",
      rules: ["EXEC-2 exec"],
      operations: ["exec", "sigaction", "sigmask", "alarm", "umask", "chdir", "setrlimit", "lock"],
      counts:
        "a process with actions, mask, pending signals or an alarm executes another image, and asks for one of them",
      exercised: inOrder(
        (now) => (hasAttributes(now) ? executes(now) : []),
        (now) => keyIf(now.did("getaction", "sigmask", "sigpending", "alarm"), now.process),
      ),
    },
    {
      id: "E03",
      requirement: "exec drops memory, mappings and all other threads; the parent is untouched.",
      tier: "second",
      rules: ["EXEC-2 exec", "LAY-1 start", "INV-6 interference"],
      operations: ["fork", "exec", "load.bu", "mmap", "thread"],
      without: "there are no attachments, memory locks, timers and atfork handlers to drop",
      counts: "a child executes another image, and it or its parent reads memory",
      exercised: inOrder(
        (now, past) => {
          const parent = past.birthOf(now.process)?.parent;
          return parent === undefined ? [] : executes(now).flatMap((child) => [child, String(parent)]);
        },
        (now) => keyIf(now.reads.length > 0, now.process),
      ),
    },
    {
      id: "E04",
      requirement: "When the child has executed another image, the parent writes in place: no copy is needed.",
      tier: "other",
      rules: ["MEM-4 resolve", "EXEC-2 exec"],
      operations: ["fork", "exec", "store.b"],
      without: "no step observes it but by running out of frames",
      counts: "a child executes another image, and its parent writes to a page that only it still maps",
      exercised: inOrder(
        (now, past) => (now.did("exec") ? [String(past.birthOf(now.process)?.parent)] : []),
        (now) => keyIf(takesOver(now), now.process),
      ),
    },
  ],
};

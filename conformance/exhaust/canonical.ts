/**
 * States of a search by what decides their future: two machines with the same key answer every program alike.
 *
 * Left out is what no later step depends on: the numbers of frames (they are named in the order in which regions map them),
 * what pages have cost so far, the registers of threads that ended, and by how much one process ended before another.
 */
import { createHash } from "node:crypto";
import type { Checked } from "../../spec/invariants/check.js";
import { strategies } from "../../spec/sfork/laws.js";
import type { Machine, Process, Thread } from "../../spec/sfork/machine.js";

/** Bytes of a key. */
export const keySize = 16;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest().subarray(0, keySize);

/** Longer texts are named by their digest: a page is written once, and not in every state that has it. */
const longest = 60;

// Values of the specification never change, and successive machines share most of them.
const known = new WeakMap<object, string>();

const remembered = <Value extends object>(value: Value, write: (value: Value) => string, texts = known): string => {
  const before = texts.get(value);
  if (before !== undefined) return before;
  const whole = write(value);
  const text = whole.length <= longest ? whole : `#${digest(whole).toString("base64")}`;
  texts.set(value, text);
  return text;
};

/** Members in the order of their names: which step made an object must not show. */
const writeMembers = (members: readonly (readonly [name: string, value: unknown])[]): string =>
  `{${members
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}:${textOf(value)}`)
    .sort()
    .join()}}`;

const write = (value: object): string => {
  if (Array.isArray(value)) return `[${Array.from(value, textOf).join()}]`;
  if (value instanceof Map)
    return `M[${Array.from(value, ([key, one]) => `${textOf(key)}=${textOf(one)}`)
      .sort()
      .join()}]`;
  if (value instanceof Set) return `S[${Array.from(value, textOf).sort().join()}]`;
  return writeMembers(Object.entries(value));
};

/** Any value of the specification as a text that only equal ones have. */
const textOf = (value: unknown): string => {
  switch (typeof value) {
    case "object":
      return value === null ? "null" : remembered(value, write);
    case "bigint":
      return `${value.toString(36)}n`;
    case "string":
      return JSON.stringify(value);
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "function":
    case "symbol":
      throw new TypeError(`a state holds a ${typeof value}`);
  }
};

const processTexts = new WeakMap<object, string>();

const processText = (process: Process): string =>
  remembered(
    process,
    ({ state, ...others }) =>
      writeMembers([
        ...Object.entries(others).filter(([name]) => name !== "counters"),
        ["state", state.kind === "zombie" ? { kind: state.kind, status: state.status } : state],
      ]),
    processTexts,
  );

/** Zombies in the order in which they ended. */
const zombies = ({ processes }: Machine): readonly number[] =>
  processes
    .flatMap(({ state }, ordinal) => (state.kind === "zombie" ? [{ ordinal, ended: state.ended }] : []))
    .sort((one, two) => one.ended - two.ended)
    .map(({ ordinal }) => ordinal);

const threadText = (thread: Thread): string => (thread.live ? textOf(thread) : `ended ${thread.process}`);

/** Regions with their frames: each by what it holds where it is mapped first, and by its number in that order afterwards. */
const memoryText = ({ regions, frames }: Machine): string => {
  const names = new Map<number, number>();
  const frameText = (frame: number): string => {
    const name = names.get(frame);
    if (name !== undefined) return String(name);
    names.set(frame, names.size);
    return textOf(frames[frame]);
  };
  const mapped = regions.map((region) =>
    Array.from(region, (entry) => {
      if (entry === undefined) return "";
      const { frame, ...others } = entry;
      return `${frameText(frame)}${writeMembers(Object.entries(others))}`;
    }).join(),
  );
  const others = frames.flatMap((frame, number) => (frame === undefined || names.has(number) ? [] : [textOf(frame)]));
  return [...mapped, others.sort().join()].join(";");
};

/** What has a text of its own, and what is the same in all states of a search. */
const apart: ReadonlySet<string> = new Set([
  ...["config", "format", "laws", "space", "regions", "frames", "processes", "threads", "endings"],
]);

/** The text of a state; of any length. */
export const stateText = ({ machine, grants }: Pick<Checked, "machine" | "grants">): string => {
  const { config, space, processes, threads } = machine;
  return [
    strategies[config.strategy].separate ? space : "",
    memoryText(machine),
    processes.map(processText).join(),
    zombies(machine).join(),
    threads.map(threadText).join(),
    writeMembers(Object.entries(machine).filter(([name]) => !apart.has(name))),
    textOf(grants),
  ].join("|");
};

/**
 * The key of a state. Keys are 128 bits of a hash: that any two of ten million different states have the same one has a
 * probability of less than one in 10^24.
 */
export const stateKey = (state: Pick<Checked, "machine" | "grants">): Buffer => digest(stateText(state));

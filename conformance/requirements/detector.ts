/** Detectors: what a program has to have done for a requirement to count as exercised. */
import type { Now } from "./now.js";
import type { Past } from "./past.js";

type Predicate = (now: Now, past: Past) => boolean;

/** Looks at the steps of one program, from its start. */
export type Detector = () => Predicate;

/** A step that shows it by itself, with what is known of the steps before it. */
export const when =
  (shows: Predicate): Detector =>
  () =>
    shows;

/** What a step does for a stage: a key for each thing that it does it to. */
export type Stage = (now: Now, past: Past) => readonly string[];

/** Several steps, one after the other, that do what the stages say to one and the same thing. */
export const inOrder =
  (...stages: readonly Stage[]): Detector =>
  () => {
    const reached = stages.map(() => new Set<string>());
    return (now, past) => {
      // The last stage first: one step stands for one stage only.
      for (let at = stages.length - 1; at >= 0; at -= 1) {
        const earlier = reached[at - 1];
        const keys = (stages[at]?.(now, past) ?? []).filter((key) => earlier === undefined || earlier.has(key));
        for (const key of keys) reached[at]?.add(key);
      }
      return (reached.at(-1)?.size ?? 0) > 0;
    };
  };

/** A key of a thing that one process does something to, and another does after it. */
export const pairKey = (first: number, then: number, thing: number): string => `${first}-${then}:${thing}`;

/** What this process did first, for whoever comes after it. */
export const firstOf = (now: Now, others: readonly number[], things: readonly number[]): readonly string[] =>
  others.flatMap((other) => things.map((thing) => pairKey(now.process, other, thing)));

/** What this process did after any other. */
export const thenOf = (now: Now, things: readonly number[]): readonly string[] =>
  now.others.flatMap((other) => things.map((thing) => pairKey(other, now.process, thing)));

export const keyIf = (holds: boolean, key: string | number): readonly string[] => (holds ? [String(key)] : []);

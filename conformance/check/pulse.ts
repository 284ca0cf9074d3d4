/**
 * What a thread is at: a few numbers in memory that it shares with whoever waits for it. They can be read while it is at
 * work, and after it ended without an answer.
 */

/** How often something was noted; the task's program, from 0; the last step of it that was begun, -1 before the first. */
const places = { beats: 0, nth: 1, step: 2 } as const;

export type Pulse = Int32Array<SharedArrayBuffer>;

export const createPulse = (): Pulse => {
  const pulse = new Int32Array(new SharedArrayBuffer(Object.keys(places).length * Int32Array.BYTES_PER_ELEMENT));
  Atomics.store(pulse, places.step, -1);
  return pulse;
};

/** A program is begun. */
export const noteProgram = (pulse: Pulse | undefined, nth: number): void => {
  if (pulse === undefined) return;
  Atomics.store(pulse, places.nth, nth);
  Atomics.store(pulse, places.step, -1);
  Atomics.add(pulse, places.beats, 1);
};

/** A step of it is begun. */
export const noteStep = (pulse: Pulse | undefined, step: number): void => {
  if (pulse === undefined) return;
  Atomics.store(pulse, places.step, step);
  Atomics.add(pulse, places.beats, 1);
};

export const readPulse = (pulse: Pulse): Readonly<Record<keyof typeof places, number>> => ({
  beats: Atomics.load(pulse, places.beats),
  nth: Atomics.load(pulse, places.nth),
  step: Atomics.load(pulse, places.step),
});

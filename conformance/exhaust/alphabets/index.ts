/** All alphabets, by the names that a user has for them. */
import type { Alphabet } from "../alphabet.js";
import { derivation, rights } from "./capabilities.js";
import { calls, channels, files, processes, signals } from "./kernel.js";
import { memory } from "./memory.js";
import { copies, pages } from "./pages.js";

export const alphabets: readonly Alphabet[] = [
  ...[memory, copies, pages, derivation, rights, processes, files, calls, signals, channels],
];

/** Throws a `RangeError` for a name that none has. */
export const alphabetOf = (name: string): Alphabet => {
  const found = alphabets.find((one) => one.name === name);
  if (found === undefined) throw new RangeError(`there is no alphabet ${name}`);
  return found;
};

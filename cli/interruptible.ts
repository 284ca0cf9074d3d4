/** The first Ctrl-C ends the work and leaves the summary, the second ends everything. */
import { setMaxListeners } from "node:events";
import process from "node:process";

/** `clear` removes a live line, so that what is said starts on a clean one. */
export const interruptible = async <T>(clear: () => void, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const abort = new AbortController();
  // Every finding that is made smaller listens.
  setMaxListeners(0, abort.signal);
  const interrupt = (): void => {
    clear();
    process.stderr.write("stopping; once more to stop at once\n");
    abort.abort();
  };
  process.once("SIGINT", interrupt);
  try {
    return await work(abort.signal);
  } finally {
    process.off("SIGINT", interrupt);
  }
};

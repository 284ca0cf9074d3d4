/** Progress on standard error: one live line on a terminal, a plain line now and then otherwise. */
import process from "node:process";

export interface Progress {
  readonly update: (line: string) => void;
  /** Remove the live line, so that other output starts on a clean one. */
  readonly clear: () => void;
}

const liveEvery = 100;
const plainEvery = 10_000;
/** The first line comes sooner, so that nobody wonders whether anything happens. */
const firstAfter = 1_000;

export const createProgress = (stream: NodeJS.WriteStream = process.stderr): Progress => {
  const live = stream.isTTY;
  const started = Date.now();
  let last = started - (live ? 0 : plainEvery - firstAfter);
  let shown = false;
  return {
    update: (line) => {
      const now = Date.now();
      if (now - last < (live ? liveEvery : plainEvery)) return;
      last = now;
      shown = live;
      // A terminal that does not know its width says 0.
      const width = stream.columns > 0 ? stream.columns - 1 : undefined;
      stream.write(live ? `\r\u001b[2K${line.slice(0, width)}` : `${line}\n`);
    },
    clear: () => {
      if (shown) stream.write("\r\u001b[2K");
      shown = false;
    },
  };
};

/** Seconds as a reader says them: `8 s`, `2 min 5 s`. */
export const duration = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
};

/** An implementation in another process that goes wrong in the way that it is told: it has three operations, of which `fork` always fails. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import process from "node:process";
import { setInterval } from "node:timers";

const [mode = "right", argument = ""] = process.argv.slice(2);
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const observations = {
  getppid: () => ({ int: "0x0" }),
  yield: () => ({ none: true }),
  fork: () => ({ error: "EAGAIN" }),
};

const hello = {
  ...{ type: "hello", protocol: 1, name: "test", formats: ["cheri128-v9"], strategies: ["eager"] },
  ...{ operations: ["getppid", "yield", "fork"], limits: { page: [256], pages: 8, processes: 1 } },
};

const answer = ({ id, steps }) => ({
  type: "result",
  id,
  observations: steps.map((step) => observations[step.op](step)),
});

const has = ({ steps }, op) => steps.some((step) => step.op === op);

const modes = {
  right: (run) => say(answer(run)),
  wrong: (run) => say({ ...answer(run), observations: run.steps.map(() => ({ none: true })) }),
  crash: (run) => (has(run, "getppid") ? process.kill(process.pid, "SIGKILL") : say(answer(run))),
  exit: () => {
    process.stderr.write("panic: out of luck\n", () => process.exit(3));
  },
  hang: () => undefined,
  garbage: () => process.stdout.write("\u0000 no json\n"),
  endless: () => setInterval(() => process.stdout.write("x".repeat(1 << 20)), 1),
  other: ({ id, ...run }) => say({ ...answer(run), id: id + 1 }),
  short: ({ id }) => say({ type: "result", id, observations: [] }),
  twice: (run) => {
    say(answer(run));
    say(answer(run));
  },
  refuses: ({ id }) => say({ type: "error", line: 1, id, code: "limit", message: "too much" }),
  /** Children in its group, and in others, that outlive it. */
  children: (run) => {
    for (const detached of [false, true]) {
      spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)", argument], {
        detached,
        stdio: "ignore",
      }).unref();
    }
    say(answer(run));
  },
};

const starts = {
  nothing: () => process.exit(7),
  version: () => say({ ...hello, protocol: 2 }),
  few: () => say({ ...hello, operations: [] }),
};

process.on("SIGTERM", () => undefined);
createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  if (message.type === "hello") (starts[mode] ?? (() => say(hello)))();
  else modes[mode](message);
});

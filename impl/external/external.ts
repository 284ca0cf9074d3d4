/**
 * An implementation in another process, asked in lines and answering in lines (docs/protocol.md): started, watched, started
 * again, and in the end gone, with everything that it began.
 *
 * Requests may be on their way together. Where something goes wrong while several are, each of them is asked again by itself,
 * so that what is blamed is what did it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { LineReader, longestLine, type Line } from "./lines.js";
import { endGroup, endMarked, markName } from "./sweep.js";

export interface ExternalOptions {
  /** For a shell. */
  readonly command: string;
  /** What is sent first, and after every start. */
  readonly hello: string;
  /** Carried by all its descendants in their environment. */
  readonly mark: string;
  /** What it writes to standard error. */
  readonly log: (text: string) => void;
}

/** What became of a request. */
export type Outcome =
  | { readonly kind: "answer"; readonly text: string }
  | { readonly kind: "crash" | "hang" | "protocol"; readonly why: string }
  /** It cannot be started, or not any more. */
  | { readonly kind: "gone"; readonly why: string };

type Failure = Extract<Outcome, { readonly kind: "crash" | "hang" | "protocol" }>;

interface Request {
  readonly id: number;
  readonly line: string;
  readonly limit: number;
  readonly resolve: (outcome: Outcome) => void;
  isSent: boolean;
}

/** Milliseconds before another try to start it. */
const pauses = [0, 100, 500, 2000] as const;

/** Milliseconds for an answer to hello, and to end when there is no more input. */
const patience = { hello: 10_000, end: 2000 } as const;

/** Characters of standard error that are kept for who asks why it ended. */
const mostWords = 400;

const signalNumbers: Readonly<Record<number, string>> = {
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  15: "SIGTERM",
};

const endOf = (code: number | null, signal: string | null): string => {
  if (signal !== null) return `was ended by ${signal}`;
  // So a shell tells it.
  const number = (code ?? 0) - 128;
  const name = signalNumbers[number];
  return name === undefined ? `ended with status ${code ?? 0}` : `was ended by ${name}`;
};

/** One life of the process. */
class Life {
  readonly #child: ChildProcess;
  readonly #reader = new LineReader();
  readonly #onLine: (line: Line) => void;
  readonly #mark: string;
  #words = "";
  #isOver = false;

  constructor({ command, mark, log }: ExternalOptions, onLine: (line: Line) => void, onEnd: (why: string) => void) {
    this.#mark = mark;
    this.#onLine = onLine;
    // A group of its own: it is ended as a whole.
    this.#child = spawn(command, {
      shell: true,
      detached: true,
      env: { ...process.env, [markName]: mark },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const ended = (why: string): void => {
      if (this.#isOver) return;
      this.end();
      // A shell says again what the status says.
      const said =
        this.#words
          .replace(/^(?:Killed|Segmentation fault|Aborted|Terminated).*\n?$/gm, "")
          .trim()
          .split("\n")
          .at(-1)
          ?.trim() ?? "";
      onEnd(said === "" ? why : `${why}: ${said}`);
    };
    const { stdin, stdout, stderr } = this.#child;
    // Who does not read is noticed by its silence.
    stdin?.on("error", () => undefined);
    stdout?.on("data", (piece: Buffer) => {
      if (this.#isOver) return;
      // What a line leads to may end this life.
      this.#reader.push(piece).some((line) => {
        this.#onLine(line);
        return this.#isOver;
      });
    });
    stderr?.on("data", (piece: Buffer) => {
      const text = piece.toString("utf8");
      this.#words = (this.#words + text).slice(-mostWords);
      log(text);
    });
    this.#child.on("error", (error) => {
      ended(error.message);
    });
    this.#child.on("exit", (code, signal) => {
      // What it wrote last is still on its way.
      this.#child.once("close", () => {
        ended(endOf(code, signal));
      });
      // Descendants may hold its output open.
      setTimeout(() => {
        ended(endOf(code, signal));
      }, 200).unref();
    });
    stdout?.on("end", () => {
      // Before its end is known, that is all there is to say of it.
      setTimeout(() => {
        ended("closed its output");
      }, 200).unref();
    });
  }

  send(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** End it and what it began, at once. */
  end(): void {
    this.#isOver = true;
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    if (this.#child.pid !== undefined) endGroup(this.#child.pid);
    endMarked(this.#mark);
  }

  /** End it as one that has nothing more to do. */
  async finish(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = new Promise<void>((resolve) => {
        this.#child.once("exit", () => {
          resolve();
        });
      });
      this.#child.stdin?.end();
      await Promise.race([exit, sleep(patience.end, undefined, { ref: false })]);
    }
    this.end();
  }
}

export class External {
  readonly #options: ExternalOptions;
  #life: Life | undefined;
  #starting: Promise<string | undefined> | undefined;
  #onHello: ((line: Line) => void) | undefined;
  #queue: Request[] = [];
  /** Requests that are asked one by one, since one of them went wrong beside others; and what they came to. */
  #suspects:
    | { readonly failure: Failure; readonly requests: Set<Request>; readonly outcomes: Map<Request, Outcome> }
    | undefined;
  #timer: NodeJS.Timeout | undefined;
  #why = "was not started";

  constructor(options: ExternalOptions) {
    this.#options = options;
  }

  /** Start it, if it does not run. What it answers to hello; undefined, with the reason, where it does not. */
  async start(): Promise<{ readonly hello: string } | { readonly why: string }> {
    this.#starting ??= this.#start();
    const hello = await this.#starting;
    return hello === undefined ? { why: this.#why } : { hello };
  }

  /** Ask for an answer within so many milliseconds from when it is its turn. */
  ask(id: number, line: string, limit: number): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#queue.push({ id, line, limit, resolve, isSent: false });
      void this.#pump();
    });
  }

  /** Nothing more is asked: what is on its way comes to nothing. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#queue = [];
    await this.#life?.finish();
    this.#life = undefined;
  }

  async #start(): Promise<string | undefined> {
    for (const pause of pauses) {
      await sleep(pause);
      const hello = await this.#tryStart();
      if (hello !== undefined) return hello;
    }
    return undefined;
  }

  #tryStart(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const settle = (hello: string | undefined): void => {
        clearTimeout(timer);
        this.#onHello = undefined;
        if (hello === undefined) {
          this.#life?.end();
          this.#life = undefined;
        }
        resolve(hello);
      };
      const timer = setTimeout(() => {
        this.#why = `does not answer to hello within ${patience.hello / 1000} s`;
        settle(undefined);
      }, patience.hello);
      this.#onHello = (line) => {
        if ("text" in line) settle(line.text);
        else {
          this.#why = `answers to hello with more than ${longestLine} bytes`;
          settle(undefined);
        }
      };
      const life = new Life(
        this.#options,
        (line) => {
          if (this.#onHello === undefined) this.#answered(line);
          else this.#onHello(line);
        },
        (why) => {
          if (this.#life !== life) return;
          this.#why = why;
          if (this.#onHello === undefined) this.#failed({ kind: "crash", why });
          else settle(undefined);
        },
      );
      this.#life = life;
      life.send(this.#options.hello);
    });
  }

  async #pump(): Promise<void> {
    const started = await this.start();
    if ("why" in started) {
      for (const { resolve } of this.#queue.splice(0)) resolve({ kind: "gone", why: started.why });
      return;
    }
    // Suspects go one by one.
    const window = this.#suspects === undefined ? Infinity : 1;
    for (const request of this.#queue.slice(0, window)) {
      if (request.isSent) continue;
      request.isSent = true;
      this.#life?.send(request.line);
    }
    this.#watch();
  }

  /** Only the first is waited for: the others have not had their turn. */
  #watch(): void {
    clearTimeout(this.#timer);
    const [first] = this.#queue;
    if (first?.isSent !== true) return;
    this.#timer = setTimeout(() => {
      this.#failed({ kind: "hang", why: `gives no answer within ${first.limit / 1000} s` });
    }, first.limit);
  }

  #answered(line: Line): void {
    const [first] = this.#queue;
    const wrong = first?.isSent === true ? wrongWith(line, first.id) : "says something though nothing was asked";
    if (wrong !== undefined) this.#failed({ kind: "protocol", why: wrong });
    else if ("text" in line) this.#settle({ kind: "answer", text: line.text });
  }

  /** The first request has come to something. */
  #settle(outcome: Outcome): void {
    const request = this.#queue.shift();
    if (request === undefined) return;
    const suspects = this.#suspects;
    if (suspects?.requests.has(request) !== true) request.resolve(outcome);
    else suspects.outcomes.set(request, outcome);
    if (suspects?.outcomes.size === suspects?.requests.size) this.#acquit();
    void this.#pump();
  }

  /** All suspects were asked by themselves. Where nothing went wrong then, the first of them is told what had gone wrong. */
  #acquit(): void {
    if (this.#suspects === undefined) return;
    const { failure, outcomes } = this.#suspects;
    this.#suspects = undefined;
    const isFound = [...outcomes.values()].some(({ kind }) => kind !== "answer");
    let isFirst = true;
    for (const [request, outcome] of outcomes) {
      request.resolve(isFirst && !isFound ? { ...failure, why: `${failure.why} (not when asked by itself)` } : outcome);
      isFirst = false;
    }
  }

  #failed(failure: Failure): void {
    clearTimeout(this.#timer);
    this.#life?.end();
    this.#life = undefined;
    this.#starting = undefined;
    const sent = this.#queue.filter(({ isSent }) => isSent);
    for (const request of sent) request.isSent = false;
    if (sent.length > 1) {
      this.#suspects = { failure, requests: new Set(sent), outcomes: new Map() };
      void this.#pump();
    } else if (sent.length === 1) this.#settle(failure);
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What is wrong with an answer to a request, as far as that can be known without looking into it. */
const wrongWith = (line: Line, id: number): string | undefined => {
  if ("tooLong" in line) return `answers with more than ${longestLine} bytes`;
  const answer = parse(line.text);
  if (!isRecord(answer)) return "answers with what is no JSON object";
  const { type } = answer;
  if (type === "error") {
    const told = answer["message"];
    return `answers with an error: ${typeof told === "string" ? told : "of no message"}`;
  }
  if (type !== "result") return "answers with no result";
  if (answer["id"] !== id) return `answers with the id ${String(answer["id"])}, not ${id}`;
  return Array.isArray(answer["observations"]) ? undefined : "answers without observations";
};

/** The processes of an implementation, of which each thread that judges is lent one. */
import { randomUUID } from "node:crypto";
import { isLeft } from "fp-ts/lib/Either.js";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { endMarked, External as Process } from "../../impl/external/index.js";
import { plainLine, shorten } from "../errors.js";
import { decodeHello, helloLine } from "../protocol/messages.js";
import { declarationOf } from "../protocol/negotiate.js";
import { printProblem } from "../program/strict.js";
import type { External } from "./external.js";
import { serveLink, type Link } from "./link.js";

/** A process that is lent; `done` gives it back. */
export interface Lent {
  /** For the thread that asks; its port is to be transferred. */
  readonly link: Link;
  readonly port: MessagePort;
  /** `isClean`: everything that was asked was answered. */
  readonly done: (isClean: boolean) => void;
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export class Externals {
  readonly #command: string;
  readonly #log: (text: string) => void;
  /** Of all descendants of this campaign's; each process has its own mark behind it. */
  readonly #mark = randomUUID();
  readonly #all = new Set<Process>();
  readonly #free: Process[] = [];
  #made = 0;

  /** `log` takes what the implementation writes to standard error. */
  constructor(command: string, log: (text: string) => void) {
    this.#command = command;
    this.#log = log;
  }

  /** Start the implementation: what it is, or why there is none. */
  async start(): Promise<External | { readonly why: string }> {
    const process = this.#make();
    const started = await process.start();
    if ("why" in started) return { why: shorten(plainLine(started.why), 300) };
    const hello = decodeHello(parse(started.hello) ?? started.hello);
    if (isLeft(hello)) return { why: `answers to hello with something else: ${printProblem(hello.left)}` };
    const declaration = declarationOf(hello.right);
    if ("wrong" in declaration) return { why: `declares what cannot be: ${declaration.wrong}` };
    this.#free.push(process);
    return { command: this.#command, hello: hello.right };
  }

  lend(): Lent {
    const process = this.#free.pop() ?? this.#make();
    const { port1, port2 } = new MessageChannel();
    const count = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    serveLink({ port: port1, count }, process);
    return {
      link: { port: port2, count },
      port: port2,
      done: (isClean) => {
        port1.close();
        if (isClean) this.#free.push(process);
        else void this.#end(process);
      },
    };
  }

  /** End them all, and what they have left. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((process) => this.#end(process)));
  }

  /** At once, for who has no time to wait. */
  kill(): void {
    for (let number = 0; number < this.#made; number += 1) endMarked(this.#markOf(number));
  }

  #markOf(number: number): string {
    return `${this.#mark}.${number}`;
  }

  #make(): Process {
    const options = { command: this.#command, hello: helloLine, mark: this.#markOf(this.#made), log: this.#log };
    this.#made += 1;
    const process = new Process(options);
    this.#all.add(process);
    return process;
  }

  async #end(process: Process): Promise<void> {
    this.#all.delete(process);
    await process.close();
  }
}

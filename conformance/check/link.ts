/**
 * Between a thread that judges, and waits, and the thread that holds implementations in other processes: requests go one way,
 * what became of them comes back.
 */
import { receiveMessageOnPort, type MessagePort } from "node:worker_threads";
import type { External, Outcome } from "../../impl/external/index.js";

/** What a thread is given to ask an implementation. */
export interface Link {
  readonly port: MessagePort;
  /** Counts what came back, so that it can be waited for. */
  readonly count: Int32Array<SharedArrayBuffer>;
}

interface Request {
  readonly id: number;
  readonly line: string;
  readonly limit: number;
}

interface Reply {
  readonly id: number;
  readonly outcome: Outcome;
}

/** Milliseconds between two signs of life while nothing comes back. */
const tick = 200;

/** The side that asks. It blocks its thread. */
export class Asking {
  readonly #link: Link;
  readonly #outcomes = new Map<number, Outcome>();
  #next = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Send a request, made from its number, which is returned. */
  send(lineOf: (id: number) => string, limit: number): number {
    const id = this.#next;
    this.#next += 1;
    const request: Request = { id, line: lineOf(id), limit };
    this.#link.port.postMessage(request);
    return id;
  }

  /** Wait for what became of a request; `waiting` is called every now and then. */
  receive(id: number, waiting: () => void): Outcome {
    const { port, count } = this.#link;
    for (;;) {
      const before = Atomics.load(count, 0);
      for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port)) {
        const reply = got.message as Reply;
        this.#outcomes.set(reply.id, reply.outcome);
      }
      const outcome = this.#outcomes.get(id);
      if (outcome !== undefined) {
        this.#outcomes.delete(id);
        return outcome;
      }
      waiting();
      Atomics.wait(count, 0, before, tick);
    }
  }
}

/** The other side: what comes from a port is asked of an implementation, until the port is closed. */
export const serveLink = ({ port, count }: Link, external: External): void => {
  port.on("message", ({ id, line, limit }: Request) => {
    void external.ask(id, line, limit).then((outcome) => {
      const reply: Reply = { id, outcome };
      port.postMessage(reply);
      Atomics.add(count, 0, 1);
      Atomics.notify(count, 0);
    });
  });
};

/** The posix profile: what a real kernel can execute, and does alike. */
import { beforeAll, describe, expect, test } from "vitest";
import { executableOperations } from "../../../conformance/generate/posix/executable.js";
import { compareLevels } from "../../../conformance/oblivious/compare.js";
import type { Transition } from "../../../spec/invariants/transition.js";
import { register } from "../../../spec/sfork/context.js";
import { initial } from "../../../spec/sfork/machine.js";
import { place } from "../../../spec/sfork/paging.js";
import { effective } from "../../../spec/sfork/memory-access.js";
import type { Observation } from "../../../spec/sfork/observation.js";
import { operations, type OperationEntry, type OperationName } from "../../../spec/sfork/operation.js";
import { step } from "../../../spec/sfork/step.js";
import { programs, programsFor } from "./support.js";

/** Programs of the test; the figures of docs/checking.md are those of more of them. */
const count = programsFor(400);
const list = programs("posix", count, { profile: "posix" });

type Seen = Pick<Transition, "before" | "operation" | "thread" | "process" | "observation">;

const failing = new Set<Observation["kind"]>(["trap", "error", "would-block"]);
const idle = new Set<Observation["kind"]>(["no-actor", "halted"]);

/** A pointer whose memory was unmapped is followed: a fault on a real kernel, whatever the cause is called here. */
const isStale = ({ before, operation, thread, process, observation }: Seen): boolean => {
  if (observation.kind !== "trap" || observation.trap !== "tag" || !("cs1" in operation)) return false;
  const context = { machine: before, format: before.format, thread, process };
  const authority = register(context, operation.cs1);
  const n = "n" in operation && "immediate" in operation.n && operation.op !== "memset" ? operation.n.immediate : 0n;
  const where = place(before, effective(before.format, authority, n));
  if (authority.tag || where.kind !== "page") return false;
  return before.regions[where.page.slot]?.[where.page.index] === undefined;
};

const isOrdinary = (seen: Seen): boolean => {
  const { observation } = seen;
  if (observation.kind === "trap") return observation.trap.startsWith("page-") || isStale(seen);
  // How many processes a machine has room for is nobody's business but its own.
  const { nproc = 0 } = seen.before.processes[seen.process]?.limits ?? {};
  if (seen.operation.op === "fork" && observation.kind === "error") return nproc <= 1;
  if (observation.kind === "error") return !["ENOMEM", "EISDIR"].includes(observation.error);
  return !["unsupported", "bad-choice", "out-of-frames", "outside-profile"].includes(observation.kind);
};

/** Registers that hold a pointer which their thread loaded from memory. */
class Loaded {
  readonly #registers = new Set<string>();

  /** Does the step use one of them? */
  see({ operation, thread, observation, before }: Seen): boolean {
    const key = (index: number): string => `${thread}:${index % 16}`;
    const follows =
      /^(load|store|memset|read|write)/.test(operation.op) &&
      "cs1" in operation &&
      this.#registers.has(key(operation.cs1));
    if (failing.has(observation.kind) || idle.has(observation.kind)) return false;
    if (observation.kind === "child") {
      for (let index = 0; index < 16; index += 1)
        if (this.#registers.has(key(index))) this.#registers.add(`${before.threads.length}:${index}`);
    }
    if ("cd" in operation) {
      const loads = operation.op === "loadcap" && observation.kind === "capability" && observation.capability.tag;
      const moves =
        (operation.op === "cmove" || operation.op === "cincoffset") && this.#registers.has(key(operation.cs1));
      if (loads || moves) this.#registers.add(key(operation.cd));
      else this.#registers.delete(key(operation.cd));
    }
    return follows;
  }
}

interface Outcomes {
  succeeded: number;
  failed: number;
}

const outcomes = new Map<OperationName, Outcomes>();
const strange: string[] = [];
let followed = 0;

/** Milliseconds; a busy machine takes a while. */
const patience = 600_000;

beforeAll(() => {
  for (const [index, { config, steps }] of list.entries()) {
    const loaded = new Loaded();
    let machine = initial(config);
    for (const [at, next] of steps.entries()) {
      const taken = step(machine, next);
      const { observation, thread = 0, process = 0, ready } = taken;
      const seen = { before: ready, operation: next.operation, thread, process, observation };
      if (taken.thread !== undefined && (taken.thread !== next.actor || !isOrdinary(seen)))
        strange.push(
          `program ${index}, step ${at}: ${next.operation.op} ${JSON.stringify(Object.values(observation).map(String))}`,
        );
      // A thread that ends before its step opens nothing, whatever the step says.
      if (taken.acted && next.operation.op === "open" && ["/", "/d", "/e"].includes(next.operation.path))
        strange.push(`program ${index}, step ${at}: opens a directory`);
      if (loaded.see(seen)) followed += 1;
      const found = outcomes.get(next.operation.op) ?? { succeeded: 0, failed: 0 };
      outcomes.set(next.operation.op, found);
      if (failing.has(observation.kind)) found.failed += 1;
      else if (!idle.has(observation.kind)) found.succeeded += 1;
      machine = taken.machine;
    }
  }
}, patience);

describe(`${count} programs`, () => {
  test("trap for pages alone, and have no actor but the one that they name", () => {
    expect(strange).toEqual([]);
  });

  test("follow at least two pointers each, on average", () => {
    expect(followed / count).toBeGreaterThan(2);
  });

  test("have every operation of the profile succeed", () => {
    expect(executableOperations.filter((name) => (outcomes.get(name)?.succeeded ?? 0) === 0)).toEqual([]);
    expect([...outcomes.keys()].filter((name) => !executableOperations.includes(name))).toEqual([]);
  });

  test("have every operation fail that can, but those of which only another machine knows why", () => {
    const never = executableOperations.filter((name) => {
      const { errors, traps }: OperationEntry = operations[name];
      return (errors !== undefined || traps !== undefined) && (outcomes.get(name)?.failed ?? 0) === 0;
    });
    // More threads or memory than there may be, and an alternate stack that is none.
    const onlyHere: readonly OperationName[] = ["thread", "exec", "sigaltstack"];
    expect(never.filter((name) => !onlyHere.includes(name))).toEqual([]);
  });

  test(
    "show the same in one address space, and no number of an address",
    () => {
      const compared = list.slice(0, 150).map((program) => compareLevels(program));
      expect(compared.filter(({ difference, endedAt }) => difference !== undefined || endedAt !== undefined)).toEqual(
        [],
      );
      expect(compared.filter(({ masked }) => masked > 0)).toEqual([]);
    },
    patience,
  );

  test("make no choice", () => {
    for (const { operation } of list.flatMap(({ steps }) => steps)) {
      if (operation.op === "fork") expect(operation.slot ?? operation.pid).toBeUndefined();
      if (operation.op === "wait") expect(operation.reap).toBeUndefined();
    }
  });
});

test("pages are as large as a real machine's", () => {
  for (const { config } of list)
    expect([config.page % 4096, config.commit, config.reuse]).toEqual([0, "reserve", "revoke"]);
});

test("programs are for separate address spaces, unless something else is asked for", () => {
  expect(new Set(list.map(({ config }) => config.strategy))).toEqual(new Set(["posix"]));
  const [first] = programs("posix", 1, { profile: "posix", strategies: ["copa"] });
  expect(first?.config.strategy).toBe("copa");
});

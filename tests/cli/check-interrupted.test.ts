/** Ctrl-C while programs are judged or findings are made smaller. */
import { readdirSync } from "node:fs";
import process from "node:process";
import { expect, test } from "vitest";
import { thisThread, type Workers } from "../../conformance/check/workers.js";
import { removeAtEnd } from "../support/files.js";
import { everything, inProcess, object, type Watch } from "./check-support.js";

const temporary = removeAtEnd();
const { checkOn } = inProcess(temporary);

const args = ["--impl", "spec-lazy", "--seed", "7", "--steps", "4"] as const;

const never = <T>(): Promise<T> => new Promise(() => undefined);

/** Press Ctrl-C as soon as something was said. */
const interruptAt = (what: RegExp): Watch => {
  let done = false;
  return ({ stdout, stderr }) => {
    if (done || !what.test(stdout + stderr)) return;
    done = true;
    setImmediate(() => process.emit("SIGINT"));
  };
};

test("a batch that takes long is not waited for", async () => {
  const slow: Workers = { ...thisThread(), judge: never };
  const watch = interruptAt(/^starting$/m);
  const { code, stdout, stderr } = await checkOn(() => slow, [...args, "--time", "1h", "--json"], undefined, watch);
  expect(object(stdout)).toMatchObject({ ok: false, interrupted: true, runs: 0, findings: [] });
  expect(stderr).toBe("starting\nstopping; once more to stop at once\n");
  expect(code).toBe(130);
});

test("findings that are being made smaller stay as they were found", async () => {
  const slow: Workers = { ...thisThread(everything), minimise: never };
  const watch = interruptAt(/saved \S+; it is made smaller\n/);
  const all = [...args, "--runs", "40", "--max-findings", "3"];
  const { code, stdout, folder } = await checkOn(() => slow, all, undefined, watch);
  const names = readdirSync(folder);
  expect(names.length).toBeGreaterThan(0);
  expect(names.every((name) => name.endsWith(".raw.sfork"))).toBe(true);
  for (const name of names) expect(stdout).toContain(`${name}, not made smaller\n`);
  expect(stdout).toMatch(/\ninterrupted: not everything was checked\n$/);
  expect(code).toBe(1);
  expect(process.listenerCount("SIGINT")).toBe(0);
});

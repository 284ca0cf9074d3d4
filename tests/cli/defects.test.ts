/** `sfork defects`. */
import { expect, test } from "vitest";
import { defectsCommand } from "../../cli/defects.js";
import { defects, notModelled } from "../../conformance/defects/catalogue.js";
import { sfork } from "../support/cli.js";
import { running } from "./support.js";

const run = running((done) => defectsCommand(done));

interface Tried {
  readonly ok: boolean;
  readonly total: number;
  readonly found: number;
  readonly defects: readonly { readonly id: string; readonly found: boolean; readonly steps: number | null }[];
}

const [first] = defects;

test("--list says what they are, and what is not modelled and why", async () => {
  const { code, stdout } = await run("--list");
  expect(code).toBeUndefined();
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(defects.length + notModelled.length + 2);
  expect(lines[0]).toContain(first?.mistake);
});

test("one that is named is found and made smaller; --json tells it", async () => {
  const { code, stdout } = await run(first?.id.toLowerCase() ?? "", "--seed", "1", "--workers", "1", "--json");
  expect(code).toBeUndefined();
  const told = JSON.parse(stdout) as Tried;
  expect(told).toMatchObject({ ok: true, total: 1, found: 1, defects: [{ id: first?.id, found: true }] });
  expect(told.defects[0]?.steps).toBeLessThanOrEqual(12);
});

test.for([
  [["R99"], /^sfork: .*Name defects of the catalogue; sfork defects --list has them\.\n$/],
  [["B6"], /^sfork: .*B6 is not modelled: a step is atomic/],
  [["--runs", "none"], /^sfork: option '--runs <n>' argument 'none' is invalid/],
] as const)("%j is wrong usage: one line and status 2", async ([args, message]) => {
  const { status, stderr } = await sfork(["defects", ...args]);
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
});

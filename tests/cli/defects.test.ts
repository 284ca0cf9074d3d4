/** `sfork defects`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defectsCommand } from "../../cli/defects.js";
import { defects, notModelled } from "../../conformance/defects/catalogue.js";
import { sfork } from "../support/cli.js";
import { removeAtEnd } from "../support/files.js";
import { running } from "./support.js";

const newFolder = removeAtEnd();

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

test("--report writes a page and a mutation-testing report", async () => {
  const folder = newFolder();
  const [html, json] = [join(folder, "defects.html"), join(folder, "defects.json")];
  const report = `html=${html},json=${json}`;
  const { code } = await run(first?.id ?? "", "--seed", "1", "--workers", "1", "--report", report);
  expect(code).toBeUndefined();
  const { schemaVersion, files } = JSON.parse(readFileSync(json, "utf8")) as { schemaVersion: string; files: object };
  expect([schemaVersion, Object.keys(files).length > 0]).toEqual(["1", true]);
  expect(readFileSync(html, "utf8")).toContain(`"id":"${first?.id ?? ""}"`);
});

test.for([
  [["R99"], /^sfork: .*Name defects of the catalogue; sfork defects --list has them\.\n$/],
  [["B6"], /^sfork: .*B6 is not modelled: a step is atomic/],
  [["--report", "html=no/such/folder/x.html"], /^no\/such\/folder\/x\.html: the html report cannot be written here: /],
  [["--runs", "none"], /^sfork: option '--runs <n>' argument 'none' is invalid/],
] as const)("%j is wrong usage: one line and status 2", async ([args, message]) => {
  const { status, stderr } = await sfork(["defects", ...args]);
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
});

/** The page of coverage. */
import { expect, test } from "vitest";
import { createCoverage, type CoverageResult } from "../../../conformance/coverage.js";
import type { Rule } from "../../../conformance/rules/document.js";
import { rulesPage } from "../../../conformance/rules/page.js";
import { reportRules } from "../../../conformance/rules/report.js";

const entry = (name: string) => ({
  ...{ id: `MEM-3 ${name}`, demands: `Says <b> & \`code\` of ${name}.`, file: "spec/x.ts", name },
  ...{ trivial: "0n", source: "A §1", testFile: "tests/x.test.ts", testName: name },
});

const rule: Rule = {
  id: "MEM-3",
  title: "A <title>",
  text: "One.\n\nTwo *stressed*, [a link](x.md).",
  entries: ["f", "g", "h"].map(entry),
};

const empty = createCoverage({ "some-case": { description: "is <so>", on: [], reached: () => false } }).result();

const coverage: CoverageResult = {
  ...empty,
  programs: 2,
  steps: 1234,
  evaluations: {
    "MEM-3 f": { succeeded: 3000, failed: 0, trapped: 1000, outside: 0 },
    "MEM-3 g": { succeeded: 0, failed: 0, trapped: 0, outside: 0 },
  },
};

const report = reportRules(coverage, [rule]);
const source = { line: 7, text: 'export const f = (a: A<"b">) =>\n  a && b;' };
const page = rulesPage(report, "seed <s>", ({ name }) => (name === "f" ? source : undefined));

test("what was not evaluated is missed; constants are not", () => {
  expect(report.missing.functions).toEqual(["MEM-3 g"]);
  expect(report.missing.cornerCases).toEqual(["some-case"]);
  expect(report.missing.cases).toContain("loadcap/bounds");
  expect(report.missing.cases).not.toContain("loadcap/page-unmapped");
  const [first] = report.rules;
  expect(first?.evaluations).toEqual({ succeeded: 3000, failed: 0, trapped: 1000, outside: 0 });
  // Rules of the table that the document does not have are there, too.
  expect(report.rules.map(({ id }) => id)).toContain("FORK-1");
});

test("the page says what is counted, beside what it is, with nothing from elsewhere", () => {
  expect(page).toContain("<p>2 programs, 1,234 steps; seed &lt;s&gt;</p>");
  expect(page).toContain("<h2>MEM-3 A &lt;title&gt;</h2>");
  expect(page).toContain("<p>Says &lt;b&gt; &amp; <code>code</code> of f.</p>");
  expect(page).toContain("<p>Two <em>stressed</em>, a link.</p>");
  expect(page).toContain(
    '<i class="succeeded" style="width:75.00%"></i><i class="trapped" style="width:25.00%"></i></span>',
  );
  expect(page).toContain("succeeded <b>3,000</b>");
  expect(page).toContain('<span data-line="7">export const f = (a: A&lt;&quot;b&quot;&gt;) =&gt;</span>');
  expect(page).toContain('<span data-line="8">  a &amp;&amp; b;</span>');
  expect(page).toContain("in spec/x.ts:7;");
  expect(page).not.toMatch(/(src|href)="(?!#)|@import|url\(/);
});

test("what was not reached stands first, and leads to its place", () => {
  const [, top = ""] = /<section class="not-reached">([^]*?)<\/section>/.exec(page) ?? [];
  expect(top).toContain('cases: <a href="#csetbounds-ok">csetbounds/ok</a>');
  expect(top).toContain('functions: <a href="#MEM-3-g">MEM-3 g</a>');
  expect(top).toContain('corner cases: <a href="#some-case">some-case</a>');
  const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
  const dangling = [...page.matchAll(/ href="#([^"]+)"/g)].flatMap(([, id]) => (ids.has(id) ? [] : [id]));
  expect(dangling).toEqual([]);
  expect(page).toContain('<td class="note" title="a capability to memory that is not mapped has lost its tag');
  expect(page.match(/A constant: it is not evaluated, and not counted\./g)).toHaveLength(1);
});

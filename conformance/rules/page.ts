/** Coverage as a page: every rule with what it says, its code, and how often that was evaluated. */
import { cornerCases, type CornerCase } from "../corner-cases.js";
import { escapeHtml as escape } from "../html.js";
import { plural } from "../plural.js";
import { unreachable, type CaseKind } from "./cases.js";
import type { Excerpt } from "./extent.js";
import { style } from "./page-style.js";
import {
  totalOf,
  unevaluated,
  type CountedCase,
  type CountedEntry,
  type CountedRule,
  type RulesReport,
} from "./report.js";

const whole = (number: number): string => number.toLocaleString("en");

/** The little of Markdown that statements of rules are written in: code, stress, and links, which lead nowhere from here. */
const inline = (text: string): string =>
  escape(text)
    .replaceAll(/`([^`]+)`/g, "<code>$1</code>")
    .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1")
    .replaceAll(/\*([^*\s][^*]*)\*/g, "<em>$1</em>");

const prose = (text: string): string =>
  text
    .split(/\n\n+/)
    .filter((part) => part !== "")
    .map((part) => `<p${/^[-|]/.test(part) ? ' class="as-is"' : ""}>${inline(part)}</p>`)
    .join("\n");

const idOf = (text: string): string => escape(text.replaceAll(/[^\w-]/g, "-"));

const link = (text: string): string => `<a href="#${idOf(text)}">${escape(text)}</a>`;

interface Split {
  readonly succeeded: number;
  readonly failed: number;
  readonly trapped: number;
  readonly outside: number;
}

const parts = ["succeeded", "failed", "trapped", "outside"] as const;

/** Shares of a whole, in colours; the numbers stand beside it. */
const bar = (split: Split): string => {
  const total = totalOf(split);
  if (total === 0) return '<span class="bar none"></span>';
  const shares = parts.map((part) => {
    const share = (100 * split[part]) / total;
    return share === 0 ? "" : `<i class="${part}" style="width:${share.toFixed(2)}%"></i>`;
  });
  return `<span class="bar">${shares.join("")}</span>`;
};

const counts = (split: Split): string =>
  parts.map((part) => `<span class="count">${part} <b>${whole(split[part])}</b></span>`).join(" ");

const evaluationsOf = ({ id, evaluations }: CountedEntry): string => {
  if (evaluations === undefined) return '<p class="note">A constant: it is not evaluated, and not counted.</p>';
  const reason = unevaluated.get(id);
  if (totalOf(evaluations) > 0) return `<p>${bar(evaluations)} ${counts(evaluations)}</p>`;
  return reason === undefined
    ? '<p class="missed">Not evaluated.</p>'
    : `<p class="note">Not evaluated: ${escape(reason)}.</p>`;
};

const entryOf = (entry: CountedEntry, sourceOf: SourceOf): string => {
  const source = sourceOf(entry);
  const place = `${entry.file}${source === undefined ? "" : `:${source.line}`}`;
  return [
    `<article id="${idOf(entry.id)}">`,
    `<h3>${escape(entry.id)}</h3>`,
    prose(entry.demands),
    evaluationsOf(entry),
    `<p class="note"><code>${escape(entry.name)}</code> in ${escape(place)}; source: ${inline(entry.source)}</p>`,
    source === undefined ? '<p class="note">Its text is not here.</p>' : code(source),
    "</article>",
  ].join("\n");
};

const code = ({ line, text }: Excerpt): string => {
  const lines = text.split("\n").map((one, index) => `<span data-line="${line + index}">${escape(one)}</span>`);
  return `<pre>${lines.join("\n")}</pre>`;
};

const caseRow = ({ name, kind, times }: CountedCase): string => {
  const reason = unreachable.get(name);
  const said = times > 0 ? whole(times) : reason === undefined ? "not reached" : "out of reach";
  const mark = times > 0 ? kind : reason === undefined ? "missed" : "note";
  const title = reason === undefined ? "" : ` title="${escape(reason)}"`;
  return `<tr id="${idOf(name)}"><td><code>${escape(name)}</code></td><td>${kind}</td><td class="${mark}"${title}>${said}</td></tr>`;
};

/** Of cases, by kind, as a bar shows them. */
const splitOf = (cases: readonly CountedCase[]): Split => {
  const sum = (kind: CaseKind): number =>
    cases.filter((one) => one.kind === kind).reduce((total, { times }) => total + times, 0);
  return { succeeded: sum("succeeded"), failed: sum("failed"), trapped: sum("trapped"), outside: 0 };
};

const casesOf = ({ cases }: CountedRule): string => {
  if (cases.length === 0) return "";
  const reached = cases.filter(({ times }) => times > 0).length;
  const out = cases.filter(({ name, times }) => times === 0 && unreachable.has(name)).length;
  const isOpen = reached + out < cases.length;
  const beside = out === 0 ? "" : `, ${out} out of reach`;
  return [
    `<details${isOpen ? " open" : ""}><summary>${reached} of ${plural(cases.length, "case")} reached${beside} ${bar(splitOf(cases))}</summary>`,
    "<table><tr><th>case</th><th>kind</th><th>steps</th></tr>",
    ...cases.map(caseRow),
    "</table></details>",
  ].join("\n");
};

const ruleOf = (rule: CountedRule, sourceOf: SourceOf): string =>
  [
    `<section id="${idOf(rule.id)}">`,
    `<h2>${escape(rule.id)} ${inline(rule.title)}</h2>`,
    prose(rule.text),
    casesOf(rule),
    ...rule.entries.map((one) => entryOf(one, sourceOf)),
    "</section>",
  ].join("\n");

const missedIn = (rule: CountedRule, { missing }: RulesReport): number =>
  rule.cases.filter(({ name }) => missing.cases.includes(name)).length +
  rule.entries.filter(({ id }) => missing.functions.includes(id)).length;

const navigation = (report: RulesReport): string => {
  const items = report.rules.map((rule) => {
    const missed = missedIn(rule, report);
    const mark = missed === 0 ? "" : ` <b class="missed">${missed}</b>`;
    return `<li>${link(rule.id)}${mark}</li>`;
  });
  return `<nav><ul>${items.join("\n")}<li>${link("corner-cases")}</li></ul></nav>`;
};

const summary = ({ missing, rules }: RulesReport): string => {
  const { cases, functions, cornerCases: corner } = missing;
  const list = (what: string, names: readonly string[]): string =>
    names.length === 0 ? "" : `<p class="missed-list">${what}: ${names.map((name) => link(name)).join(", ")}</p>`;
  const all = rules.flatMap((rule) => rule.cases).length;
  if (cases.length + functions.length + corner.length === 0) {
    return `<p>All that can be reached was reached: ${all} cases but for ${plural(unreachable.size, "one that is", "that are")} out of reach, every function, every corner case.</p>`;
  }
  return [
    '<section class="not-reached"><h2>Not reached</h2>',
    list("cases", cases),
    list("functions", functions),
    list("corner cases", corner),
    "</section>",
  ].join("\n");
};

const cornerTable = (
  { cornerCases: reached, programs }: RulesReport,
  cases: Readonly<Record<string, CornerCase>>,
): string => {
  const rows = Object.entries(reached).map(([name, times]) => {
    const share = `${((100 * times) / Math.max(1, programs)).toFixed(2)} %`;
    const what = escape(cases[name]?.description ?? "");
    const said = times === 0 ? '<td class="missed">not reached</td>' : `<td>${whole(times)} (${share})</td>`;
    return `<tr id="${idOf(name)}"><td><code>${escape(name)}</code></td><td class="text">${what}</td>${said}</tr>`;
  });
  return `<section id="corner-cases"><h2>Corner cases</h2><p>What a step did, whatever its rule; so many programs reached it.</p>
<table><tr><th>corner case</th><th>is</th><th>programs</th></tr>\n${rows.join("\n")}\n</table></section>`;
};

/** The text of an entry's function, with its doc comment; undefined where it is not at hand. */
export type SourceOf = (entry: CountedEntry) => Excerpt | undefined;

/** One page that needs nothing from elsewhere. `origin` says in a line which run it was. */
export const rulesPage = (
  report: RulesReport,
  origin: string,
  sourceOf: SourceOf,
  cases: Readonly<Record<string, CornerCase>> = cornerCases,
): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>SFork: coverage of rules</title>
<style>${style}</style>
</head>
<body>
${navigation(report)}
<main>
<h1>Coverage of rules</h1>
<p>${plural(report.programs, "program")}, ${plural(report.steps, "step")}; ${escape(origin)}</p>
<p class="legend">${parts.map((part) => `<span class="count"><i class="${part} key"></i>${part}</span>`).join(" ")}</p>
<p class="note">Counted are evaluations of a rule's function, by what became of the step that evaluated it; outside: before the
first step, or in a step that says nothing of its operation. A case counts the steps that came to it.</p>
${summary(report)}
${report.rules.map((rule) => ruleOf(rule, sourceOf)).join("\n")}
${cornerTable(report, cases)}
</main>
</body>
</html>
`;

/** A comparison as a page: plots and tables, in one file that loads nothing. */
import { imageStrategies } from "../image/forks.js";
import { page as pageBytes } from "../workloads/workload.js";
import { costTable, costNames } from "./costs.js";
import { escapeHtml } from "../html.js";
import { barPlot, linePlot, type Series } from "./plot.js";
import { costLine, falseLine, headLines, refusedLines, tablesOf, time, whole, type Table } from "./print.js";
import type { Comparison } from "./report.js";
import type { Row } from "./row.js";
import type { Sample } from "./memory.js";

const style = `
:root { color-scheme: light dark; --ink: #1c1c1c; --paper: #fff; --faint: #5f6368; --line: #dcdcdc;
  --c0: #b3261e; --c1: #b07a00; --c2: #1a7f4b; --c3: #2f67b1; --c4: #7b4ab0; --c5: #6b6b6b; --c6: #00808a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e4e1; --paper: #17181a; --faint: #a2a5a9; --line: #3a3c40;
  --c0: #ff8a80; --c1: #e0b050; --c2: #66bb8a; --c3: #82b1e6; --c4: #c39bea; --c5: #a8a8a8; --c6: #5cc8d2; } }
body { max-width: 62rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; }
p { margin: .25rem 0; } .note { color: var(--faint); font-size: 14px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; font-variant-numeric: tabular-nums; vertical-align: bottom; }
th { font-weight: 600; border-bottom: 1px solid var(--line); }
th.text, td.text { text-align: left; } td.text:first-child { white-space: nowrap; }
svg { display: block; width: 100%; max-width: 760px; height: auto; font-family: system-ui, sans-serif; }
svg text { fill: var(--ink); }
.grid { stroke: var(--line); } .axis { stroke: var(--faint); }
.line { fill: none; stroke-width: 2; }
${["none", "9 4", "none", "3 3", "9 3 2 3", "2 6", "6 6"].map((dash, mark) => `.s${mark} { stroke: var(--c${mark}); stroke-dasharray: ${dash}; }`).join("\n")}
${Array.from({ length: 7 }, (_, part) => `.p${part} { fill: var(--c${part}); }`).join("\n")}
`;

const tableHtml = ({ title, head, rows, texts, notes }: Table): string => {
  const cells = (name: "th" | "td", row: readonly string[]): string =>
    row.map((cell, at) => `<${name}${at < texts ? ' class="text"' : ""}>${escapeHtml(cell)}</${name}>`).join("");
  return [
    `<h2>${escapeHtml(title.charAt(0).toUpperCase() + title.slice(1))}</h2>`,
    '<div class="scroll"><table>',
    `<thead><tr>${cells("th", head)}</tr></thead>`,
    `<tbody>${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n")}</tbody>`,
    "</table></div>",
    ...notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`),
  ].join("\n");
};

const megabytes = (pages: number): number => (pages * pageBytes) / 2 ** 20;

/** A strategy has its colour, whatever it is compared with. */
const marks: readonly string[] = imageStrategies;

const seriesOf = (rows: readonly Row[], of: (sample: Sample) => number): readonly Series[] =>
  rows.map(({ strategy, samples }) => ({
    name: strategy,
    mark: Math.max(0, marks.indexOf(strategy)),
    points: samples.map((sample) => [sample.step, megabytes(of(sample))] as const),
  }));

const figure = (title: string, plot: string, note = ""): string =>
  `<h2>${escapeHtml(title)}</h2>\n${note === "" ? "" : `<p class="note">${escapeHtml(note)}</p>\n`}${plot}`;

const plotsOf = ({ rows }: Comparison): readonly string[] => {
  const steps = "steps after the first fork";
  const lines = (title: string, y: string, of: (sample: Sample) => number, note: string): string =>
    figure(title, linePlot({ title, x: steps, y, series: seriesOf(rows, of) }), note);
  const copied = "Pages copied";
  const fork = "Estimated time of one fork";
  const total = "Estimated time from the first fork to the end";
  return [
    lines(
      "Memory of children over time",
      "MB that only children map",
      ({ children }) => children,
      "Pages that one child alone maps, of all live children together; an updated page leaves the old one to the child.",
    ),
    lines(
      "All memory over time",
      "MB of frames in use",
      ({ frames }) => frames,
      "Of parent and children; shared pages once.",
    ),
    figure(
      copied,
      barPlot({
        title: copied,
        x: `pages of ${pageBytes} bytes`,
        parts: ["for children", "for the parent"],
        bars: rows.map(({ strategy, children, parent }) => ({
          name: strategy,
          said: whole(children.copies + parent.copies),
          parts: [children.copies, parent.copies],
        })),
      }),
    ),
    figure(
      fork,
      barPlot({
        title: fork,
        x: "microseconds, logarithmic",
        parts: [],
        logarithmic: true,
        bars: rows.map(({ strategy, forkMicroseconds }) => ({
          name: strategy,
          said: time(forkMicroseconds),
          parts: [forkMicroseconds],
        })),
      }),
      "By the cost table below; the axis does not begin at 0.",
    ),
    figure(
      total,
      barPlot({
        title: total,
        x: "milliseconds",
        parts: ["traps", "copies", "relocation", "page tables", "forks", "switches", "calls"],
        bars: rows.map(({ strategy, estimate, totalMicroseconds }) => ({
          name: strategy,
          said: time(totalMicroseconds),
          parts: [
            ...[estimate.traps, estimate.copies, estimate.relocation, estimate.pageTables],
            ...[estimate.fork, estimate.switches, estimate.calls],
          ].map((part) => part / 1000),
        })),
      }),
      "By the cost table below, without the program's own instructions, which are the same under all.",
    ),
  ];
};

const costsHtml = (comparison: Comparison): string =>
  tableHtml({
    title: "cost table",
    head: ["name", "of", "where from", "value", "unit"],
    rows: costNames.map((name) => {
      const { cycles, unit, what, source } = costTable[name];
      const own = comparison.costs[name];
      return [name, what, own === cycles ? source : "given", String(own), unit];
    }),
    texts: 3,
    notes: [costLine(comparison)],
  });

/** The page, as one text. */
export const comparisonPage = (comparison: Comparison): string => {
  const title = `sfork compare: ${comparison.name}`;
  const [first = "", ...others] = headLines(comparison);
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${escapeHtml(title)}</title><style>${style}</style></head><body>`,
    `<h1>${escapeHtml(title)}</h1>`,
    `<p>${escapeHtml(first)}</p>`,
    ...[...others, ...falseLine(comparison), ...refusedLines(comparison)].map(
      (line) => `<p class="note">${escapeHtml(line)}</p>`,
    ),
    ...plotsOf(comparison),
    ...tablesOf(comparison).map(tableHtml),
    costsHtml(comparison),
    "</body></html>",
    "",
  ].join("\n");
};

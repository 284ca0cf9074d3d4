/** Plots as SVG: lines over an axis, and bars. Colours are classes of the page's style. */
import { escapeHtml } from "../html.js";

export interface Series {
  readonly name: string;
  /** Which colour and dash. */
  readonly mark: number;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LinePlot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

interface Bar {
  readonly name: string;
  /** What stands at its end. */
  readonly said: string;
  readonly parts: readonly number[];
}

export interface BarPlot {
  readonly title: string;
  readonly x: string;
  /** Names of the parts of a bar, for the legend; none where there is one. */
  readonly parts: readonly string[];
  readonly bars: readonly Bar[];
  /** Powers of ten at even distances: bars of one part only. */
  readonly logarithmic?: boolean;
}

const [width, left, right] = [760, 150, 90];
const inner = width - left - right;
const fontSize = 13;

/** Steps of 1, 2 or 5 that reach over the most. */
export const ticksOf = (most: number): readonly number[] => {
  if (!(most > 0)) return [0, 1];
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? 10 * power;
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step);
};

/** Powers of ten around positive values. */
export const powersOf = (values: readonly number[]): readonly number[] => {
  const positive = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(1, ...positive)));
  const least = positive.length === 0 ? low : Math.floor(Math.log10(Math.min(...positive)));
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(...positive, 10 ** least))));
  return Array.from({ length: most - least + 1 }, (_, index) => 10 ** (least + index));
};

const label = (value: number): string =>
  value >= 1e7 || (value > 0 && value < 0.01) ? value.toExponential(0).replace("e+", "e") : value.toLocaleString("en");

const fixed = (value: number): string => value.toFixed(1);

type Anchor = "start" | "middle" | "end";

const text = (x: number, y: number, content: string, anchor: Anchor, more = ""): string =>
  `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}"${more}>${escapeHtml(content)}</text>`;

const line = (x1: number, y1: number, x2: number, y2: number, name: string): string =>
  `<line class="${name}" x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}"/>`;

const svg = (title: string, height: number, parts: readonly string[]): string =>
  [
    `<svg viewBox="0 0 ${width} ${height}" font-size="${fontSize}" role="img" aria-label="${escapeHtml(title)}">`,
    ...parts,
    "</svg>",
  ].join("\n");

/** Legend entries, several a row. */
const legend = (
  names: readonly { readonly name: string; readonly key: (x: number, y: number) => string }[],
  top: number,
) => {
  const [perRow, cell] = [4, 180];
  return names.map(({ name, key }, index) => {
    const [x, y] = [20 + (index % perRow) * cell, top + Math.floor(index / perRow) * 20];
    return `${key(x, y)}${text(x + 34, y + 4, name, "start")}`;
  });
};

const legendHeight = (count: number): number => Math.ceil(count / 4) * 20 + 10;

export const linePlot = ({ title, x, y, series }: LinePlot): string => {
  const [top, plotHeight] = [20, 260];
  const bottom = top + plotHeight;
  const all = series.flatMap(({ points }) => points);
  const most = (values: readonly number[]): number => values.reduce((sofar, one) => Math.max(sofar, one), 0);
  const [xs, ys] = [ticksOf(most(all.map(([one]) => one))), ticksOf(most(all.map(([, one]) => one)))];
  // Along the x axis to the end of the data, not to the tick behind it.
  const [xEnd, yEnd] = [most(all.map(([one]) => one)) || 1, ys.at(-1) ?? 1];
  const atX = (value: number): number => left + (value / xEnd) * inner;
  const atY = (value: number): number => bottom - (value / yEnd) * plotHeight;
  const paths = series.map(({ mark, points }) => {
    const path = points.map(([px, py]) => `${fixed(atX(px))},${fixed(atY(py))}`).join(" ");
    return `<polyline class="line s${mark}" points="${path}"/>`;
  });
  const legendTop = bottom + 62;
  return svg(title, legendTop + legendHeight(series.length), [
    ...ys.flatMap((tick) => [
      line(left, atY(tick), left + inner, atY(tick), "grid"),
      text(left - 8, atY(tick) + 4, label(tick), "end"),
    ]),
    ...xs.filter((tick) => tick <= xEnd).map((tick) => text(atX(tick), bottom + 18, label(tick), "middle")),
    line(left, bottom, left + inner, bottom, "axis"),
    line(left, top, left, bottom, "axis"),
    text(left + inner / 2, bottom + 40, x, "middle"),
    text(0, 0, y, "middle", ` transform="translate(60 ${top + plotHeight / 2}) rotate(-90)"`),
    ...paths,
    ...legend(
      series.map(({ name, mark }) => ({
        name,
        key: (kx: number, ky: number) => line(kx, ky, kx + 28, ky, `line s${mark}`),
      })),
      legendTop,
    ),
  ]);
};

export const barPlot = ({ title, x, parts, bars, logarithmic = false }: BarPlot): string => {
  const [top, row, thickness] = [10, 30, 18];
  const bottom = top + bars.length * row;
  const sums = bars.map((bar) => bar.parts.reduce((sum, part) => sum + part, 0));
  const ticks = logarithmic ? powersOf(sums) : ticksOf(Math.max(0, ...sums));
  const [first, last] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const at = (value: number): number => {
    if (!logarithmic) return (value / last) * inner;
    return value <= first ? 0 : (Math.log(value / first) / Math.log(last / first)) * inner;
  };
  const drawn = bars.flatMap((bar, index) => {
    const y = top + index * row + (row - thickness) / 2;
    let done = 0;
    const rectangles = bar.parts.map((part, nth) => {
      const from = at(done);
      done += part;
      const wide = at(done) - from;
      return wide <= 0
        ? ""
        : `<rect class="p${nth}" x="${fixed(left + from)}" y="${fixed(y)}" width="${fixed(wide)}" height="${thickness}"/>`;
    });
    return [
      text(left - 8, y + thickness - 4, bar.name, "end"),
      ...rectangles,
      text(left + at(done) + 6, y + thickness - 4, bar.said, "start"),
    ];
  });
  const legendTop = bottom + 62;
  return svg(title, parts.length > 0 ? legendTop + legendHeight(parts.length) : bottom + 50, [
    ...ticks.flatMap((tick) => [
      line(left + at(tick), top, left + at(tick), bottom, "grid"),
      text(left + at(tick), bottom + 18, label(tick), "middle"),
    ]),
    line(left, top, left, bottom, "axis"),
    text(left + inner / 2, bottom + 40, x, "middle"),
    ...drawn,
    ...legend(
      parts.map((name, nth) => ({
        name,
        key: (kx: number, ky: number) => `<rect class="p${nth}" x="${kx + 8}" y="${ky - 7}" width="14" height="14"/>`,
      })),
      legendTop,
    ),
  ]);
};

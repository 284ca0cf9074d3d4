/** What is told of an image, as lines and as JSON. */
import { columns } from "../columns.js";
import { plural } from "../plural.js";
import type { Image } from "./core.js";
import { holds, specificationPages, type ForkResult } from "./forks.js";
import type { Broken } from "./judge.js";
import { imagePage, type Packed } from "./pack.js";
import type { Agreement } from "./pair.js";
import { buckets, type PointerCounts } from "./pointers.js";

const number = (value: number): string => value.toLocaleString("en");

const percent = (part: number, whole: number, digits = 1): string =>
  whole === 0 ? "-" : `${((100 * part) / whole).toFixed(digits)} %`;

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** A graph of pointers is inferred, wherever it is told of. */
const inferred = "inferred pointer graph: a core has no tags; a word counts as a pointer where it leads into a mapping";

export const summaryLines = ({ image, memory, configOf }: Packed, counts: PointerCounts): readonly string[] => {
  const { file, machine, segments, mappings, threads, pages, zeroPages, kernelPages } = image;
  const words = pages.length * 512;
  const holding = pages.length - (counts.histogram[0] ?? 0);
  const config = configOf("eager");
  const left = [`${number(zeroPages)} zero`, ...(kernelPages > 0 ? [`${number(kernelPages)} of the kernel`] : [])];
  return [
    `${file}: ${machine}, ${plural(segments, "segment")}, ${plural(mappings.length, "mapping")}, ${plural(threads.length, "thread")}`,
    inferred,
    "",
    ...columns(
      [
        [
          "pages",
          `${number(pages.length)} of 4096 bytes that are not zero, ${megabytes(pages.length * 4096)}; left out: ${left.join(", ")}`,
        ],
        [
          "widened",
          `${number(memory.pages.length)} pages, ${megabytes(memory.pages.length * imagePage)}, in a region of ${megabytes(config.pages * imagePage)}`,
        ],
        [
          "pointers",
          `${number(counts.pointers)}, ${percent(counts.pointers, words)} of all words; ${number(counts.unaligned)} not aligned to 8 bytes; ${number(holding)} pages (${percent(holding, pages.length)}) hold one`,
        ],
      ].map(([name = "", text = ""]) => [`${name.padEnd(8)}  ${text}`]),
    ),
    "",
    ...columns([
      ["pointers a page", ...buckets],
      ["pages", ...counts.histogram.map(number)],
    ]),
  ];
};

/** The map from old to new: where each mapping lies in the region. */
export const layoutLines = ({ placed, configOf }: Packed): readonly string[] => {
  const { base } = configOf("eager");
  const rows = columns([
    ["old", "new", "pages", "may"],
    ...placed.map(({ mapping: { start, end }, first, count, protection: { read, write, execute } }) => [
      `${hex(start)}-${hex(end)}`,
      hex(base + BigInt(first) * BigInt(imagePage)),
      number(count),
      `${read ? "r" : "-"}${write ? "w" : "-"}${execute ? "x" : "-"}`,
    ]),
  ]);
  const names = ["mapping", ...placed.map(({ mapping }) => mapping.name)];
  return rows.map((row, index) => `${row}  ${names[index] ?? ""}`);
};

/** Where something lies in the machine, and where that was in the process. */
export const placeOf = ({ origin, placed }: Packed, { process, place }: Broken): string => {
  if (place.kind === "register")
    return `P${process} thread ${place.thread} ${place.register === 16 ? "pcc" : `c${place.register}`}`;
  const old = origin(place.page, place.granule);
  const name = placed.find(({ first, count }) => place.page >= first && place.page < first + count)?.mapping.name;
  const was = old === undefined ? "" : ` (${hex(old)} in ${name ?? ""})`;
  return `P${process} page ${place.page} granule ${place.granule}${was}`;
};

const verdict = (result: ForkResult): string => {
  const rules = result.broken.map(({ rule }) => rule);
  if (rules.length > 0) return rules.join(" ");
  return holds(result) ? "none" : "see below";
};

/** Rules that are broken, those first at the same place in one line. */
const brokenLines = (packed: Packed, { name, broken }: ForkResult): readonly string[] => {
  const byPlace = new Map<string, readonly Broken[]>();
  for (const one of broken) {
    const place = placeOf(packed, one);
    byPlace.set(place, [...(byPlace.get(place) ?? []), one]);
  }
  return Array.from(byPlace).flatMap(([place, here]) => [
    `${name}: the first granule that breaks ${here.map(({ rule }) => rule).join(", ")} is ${place}`,
    ...here.map(({ rule, count, what }) => `  ${rule}  ${plural(count, "time")}: ${what}`),
  ]);
};

export const forkLines = (packed: Packed, results: readonly ForkResult[]): readonly string[] => [
  ...columns([
    ["fork", "faults", "copies", "relocations", "page-table writes", "broken"],
    ...results.map((result) => {
      const {
        name,
        counters: { parent, child },
      } = result;
      return [
        name,
        ...[parent.faults + child.faults, parent.copies + child.copies].map(number),
        ...[parent.relocations + child.relocations, parent.pageTableWrites + child.pageTableWrites].map(number),
        verdict(result),
      ];
    }),
  ]),
  "",
  ...columns([
    ["the child's pointers lead to", "itself", "shared", "kernel", "the parent", "elsewhere"],
    ...results.map(({ name, meaning: { own, shared, kernel, parent, elsewhere } }) => [
      name,
      ...[own, shared, kernel, parent, elsewhere].map(number),
    ]),
  ]),
  "",
  ...results.flatMap((result) => [
    ...brokenLines(packed, result),
    ...result.unsound.slice(0, 3).map((line) => `${result.name}: ${line}`),
    ...(result.beside?.difference === undefined
      ? []
      : [`${result.name}: the specification shows something else: ${result.beside.difference}`]),
  ]),
];

export const besideLine = ({ memory }: Packed, results: readonly ForkResult[]): string =>
  results.some(({ beside }) => beside !== undefined)
    ? "the specification took the same forks, and was judged granule by granule"
    : `the specification was not asked: it takes up to ${number(specificationPages)} widened pages, and this has ${number(memory.pages.length)}`;

export const pairLines = ({ mappings, moved, pages, pointers, others }: Agreement): readonly string[] => {
  const judged = pointers.withTarget + pointers.stayed;
  const plain = others.stayed + others.moved;
  return [
    `${plural(mappings, "mapping")} in both, ${number(moved)} of them elsewhere; ${plural(pages, "page")} compared word by word`,
    ...columns([
      ["in the second image", "moved with a mapping", "stayed", "something else", "cannot be told", "agree"],
      [
        "taken for pointers",
        number(pointers.withTarget),
        number(pointers.stayed),
        number(pointers.otherwise),
        number(pointers.unknown),
        percent(pointers.withTarget, judged, 2),
      ],
      [
        "other words",
        number(others.moved),
        number(others.stayed),
        number(others.otherwise),
        "",
        percent(others.stayed, plain, 2),
      ],
    ]),
  ];
};

const strategyJson = (packed: Packed, result: ForkResult): object => {
  const { name, isIsolating, broken, counters, meaning, granules, unsound, beside, milliseconds } = result;
  return {
    name,
    isolating: isIsolating,
    violations: broken.map((one) => ({
      rule: one.rule,
      count: one.count,
      first: placeOf(packed, one),
      what: one.what,
    })),
    unsound,
    counters,
    pointers: meaning,
    granules,
    specification:
      beside === undefined ? null : { difference: beside.difference ?? null, violations: beside.violations },
    milliseconds: Number(milliseconds.toFixed(3)),
  };
};

/** As `--json` prints it. */
export const imageJson = (
  packed: Packed,
  counts: PointerCounts,
  results: readonly ForkResult[],
  agreement: Agreement | undefined,
): object => {
  const { image, placed, memory, format, configOf } = packed;
  const { base } = configOf("eager");
  return {
    ok: isOk(results),
    graph: "inferred",
    ...summary(image),
    format,
    widenedPages: memory.pages.length,
    pointers: counts.pointers,
    unaligned: counts.unaligned,
    histogram: buckets.map((bucket, index) => ({ pointers: bucket, pages: counts.histogram[index] ?? 0 })),
    mappings: placed.map(({ mapping: { start, end, name }, first, count, protection }) => ({
      start: hex(start),
      end: hex(end),
      name,
      protection,
      address: hex(base + BigInt(first) * BigInt(imagePage)),
      pages: count,
    })),
    strategies: results.map((result) => strategyJson(packed, result)),
    pair: agreement ?? null,
  };
};

const summary = ({ file, machine, segments, threads, pages, zeroPages, kernelPages }: Image): object => ({
  file,
  machine,
  segments,
  threads: threads.length,
  pages: pages.length,
  zeroPages,
  kernelPages,
});

/** Whatever is meant to isolate does, and whatever was compared is the same. */
export const isOk = (results: readonly ForkResult[]): boolean =>
  results.every((result) => (result.isIsolating ? holds(result) : result.beside?.difference === undefined));

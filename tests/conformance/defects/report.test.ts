/** Defects as a mutation-testing report: where they are, what became of them, and a page that needs nothing else. */
import { expect, test } from "vitest";
import { defects } from "../../../conformance/defects/catalogue.js";
import { mutationPage, mutationReport, type Outcome } from "../../../conformance/defects/report.js";

const outcomes: readonly Outcome[] = defects.map((defect, index) => ({
  defect,
  programs: index + 1,
  seconds: 1.5,
  found: index % 2 === 0 ? { rule: "REF-4", steps: 3 } : undefined,
}));

const report = mutationReport(outcomes);

/** The text between two positions, line by line. */
const between = (
  source: string,
  { start, end }: (typeof report.files)[string]["mutants"][number]["location"],
): string => {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  const last = lines.length - 1;
  const cut = lines.map((line, nth) => (nth === last ? line.slice(0, end.column - 1) : line));
  return cut.join("\n").slice(start.column - 1);
};

test("each defect stands at the text that it replaces, once in each file that it changes", () => {
  const seen = Object.entries(report.files).flatMap(([file, { source, mutants }]) =>
    mutants.map(({ id, location }) => ({ id, file, text: between(source, location) })),
  );
  for (const { id, file, text } of seen) {
    const finds = defects.find((one) => one.id === id)?.edits.filter((edit) => `impl/fast/${edit.file}.js` === file);
    expect(finds?.map(({ find }) => find)).toContain(text);
  }
  const places = defects.flatMap(({ id, edits }) => [
    ...new Set(edits.map(({ file }) => `${id} impl/fast/${file}.js`)),
  ]);
  expect(seen.map(({ id, file }) => `${id} ${file}`).sort()).toEqual(places.sort());
});

test("what was found is killed, by its rule; what was missed survives", () => {
  const statuses = new Map(
    Object.values(report.files).flatMap(({ mutants }) => mutants.map((one) => [one.id, one] as const)),
  );
  const [first, second] = defects;
  expect(statuses.get(first?.id ?? "")).toMatchObject({ status: "Killed", killedBy: ["REF-4"], testsCompleted: 1 });
  expect(statuses.get(second?.id ?? "")).toMatchObject({
    status: "Survived",
    statusReason: "missed in 2 programs, 1.5 s",
  });
  expect(statuses.get(second?.id ?? "")).not.toHaveProperty("killedBy");
});

test("the page holds all of it, and nothing ends its scripts early", () => {
  const [first, ...others] = outcomes;
  if (first === undefined) throw new Error("no defects");
  const mistake = "</script><b>& more";
  const page = mutationPage([{ ...first, defect: { ...first.defect, mistake } }, ...others], "a & b <c>");
  expect(page).toContain("<title>a &amp; b &lt;c&gt;</title>");
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page.match(/<\/script/g)).toHaveLength(2);
  const data = /\.report = (.*);<\/script>/.exec(page)?.[1];
  expect(JSON.parse(data ?? "")).toEqual(
    JSON.parse(JSON.stringify(mutationReport([{ ...first, defect: { ...first.defect, mistake } }, ...others]))),
  );
});

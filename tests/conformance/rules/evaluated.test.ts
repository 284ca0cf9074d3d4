/** An instrumented copy of the specification, and what it counts. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Evaluations } from "../../../conformance/coverage.js";
import { generate } from "../../../conformance/generate/generate.js";
import type { CompleteProgram } from "../../../conformance/check/finding.js";
import type { Evaluated } from "../../../conformance/rules/evaluated.js";
import {
  instrument,
  makeInstrumented,
  shippedRules,
  type Instrumented,
} from "../../../conformance/rules/instrumented.js";
import { totalOf, unevaluated } from "../../../conformance/rules/report.js";
import { entries } from "../../rules/document.js";
import { program } from "../check/support.js";
import { programsFor } from "../generate/support.js";

interface Module {
  readonly countEvaluations: () => Evaluated;
}

let copy: Instrumented;
let module: Module;

beforeAll(async () => {
  copy = makeInstrumented(shippedRules());
  // What is loaded here is not what was built, whatever the path says.
  const loaded: unknown = await import(new URL("evaluated.js", copy.worker).href);
  module = loaded as Module;
});

afterAll(() => {
  copy.remove();
  expect(existsSync(fileURLToPath(copy.worker))).toBe(false);
});

const take = ({ checker }: Evaluated, { config, steps }: Pick<CompleteProgram, "config" | "steps">): void => {
  let checked = checker.start(config);
  for (const next of steps) {
    const taken = checker.step(checked, next);
    for (const made of [taken.delivery, taken.transition])
      if (made !== undefined) checker.violations(made, "incremental");
    ({ checked } = taken);
  }
};

const evaluationsOf = (...lines: readonly string[]): Readonly<Record<string, Evaluations>> => {
  const counting = module.countEvaluations();
  take(counting, program("config format=cheri128-v9 strategy=copa", ...lines));
  return counting.result();
};

describe("evaluations", () => {
  test("are counted once for each step, by what became of it, whatever runs beside it", () => {
    const counts = evaluationsOf(
      "0: csetbounds c8, c1, 0x10",
      "0: csetbounds c8, c1, 0x100000",
      "0: load.b c9, 0x0(c10)",
      "0: fork c7",
      "0: close 9",
    );
    expect(counts["EXEC-1 step"]).toEqual({ succeeded: 2, failed: 2, trapped: 1, outside: 0 });
    expect(counts["CAP-2 csetbounds"]).toMatchObject({ succeeded: 1, failed: 1, trapped: 0 });
    expect(counts["MEM-1 load"]).toEqual({ succeeded: 0, failed: 0, trapped: 1, outside: 0 });
    expect(counts["FORK-1 fork"]).toEqual({ succeeded: 1, failed: 0, trapped: 0, outside: 0 });
    // The machine is made once, before the first step.
    expect(counts["LAY-1 initial"]).toEqual({ succeeded: 0, failed: 0, trapped: 0, outside: 1 });
    // Each transition is looked at once.
    expect(counts["INV-1 isolation"]).toEqual({ succeeded: 2, failed: 2, trapped: 1, outside: 0 });
  });

  test("in a step that says nothing of its operation are outside", () => {
    const counts = evaluationsOf("0: exit 0", "0: getpid c8");
    expect(counts["EXEC-1 step"]).toEqual({ succeeded: 1, failed: 0, trapped: 0, outside: 1 });
  });

  test("start anew for each count", () => {
    expect(Object.values(evaluationsOf("0: fork c7"))).not.toEqual([]);
    expect(evaluationsOf("0: getpid c8")["FORK-1 fork"]).toMatchObject({ succeeded: 0 });
  });

  test("are of all rules but the constants among them", () => {
    const constants = ["FORK-8 strategies", "REUSE-2 zero", "PROC-3 fresh"];
    const ids = entries.map(({ id }) => id).filter((id) => !constants.includes(id));
    expect(Object.keys(evaluationsOf()).toSorted()).toEqual(ids.toSorted());
  });
});

const most = programsFor(20_000);

test(`every function of a rule is evaluated in ${most} programs`, () => {
  const counting = module.countEvaluations();
  const missing = (): readonly string[] =>
    Object.entries(counting.result()).flatMap(([id, counts]) => (totalOf(counts) === 0 ? [id] : []));
  // As few as it takes.
  for (let index = 0; index < most && missing().some((id) => !unevaluated.has(id)); index += 1) {
    take(counting, generate("statistics", index));
  }
  expect(missing()).toEqual([...unevaluated.keys()]);
});

describe("a copy", () => {
  const entry = { id: "X-1 case", file: "spec/x.ts", name: "f" };

  test("has a counter around the function, and nothing else is changed", () => {
    expect(instrument("const a = 1;\nexport const f = (x) => g(x);\n", [entry])).toBe(
      'import { counted } from "../conformance/rules/counters.js";\n' +
        'const a = 1;\nexport const f = counted("X-1 case", "step", (x) => g(x));\n',
    );
    expect(instrument("const a = 1;\n", [])).toBe("const a = 1;\n");
  });

  test("is refused where a rule's function is not there", () => {
    const message = "X-1 case: dist/spec/x.js declares no f; build again, or mend docs/rules.md";
    expect(() => instrument("const g = 1;\n", [entry])).toThrow(new RangeError(message));
    const rules = [
      {
        id: "X-1",
        title: "",
        text: "",
        entries: [{ ...entry, demands: "", trivial: "", source: "", testFile: "", testName: "" }],
      },
    ];
    expect(() => makeInstrumented(rules)).toThrow("X-1 case: there is no dist/spec/x.js; build again");
  });
});

/** Properties of any program: it survives both forms, and it runs, whatever stands in it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  anyConfig,
  anyOperation,
  anyStepOfFile,
  legalConfig,
  programOf,
} from "../../../conformance/program/arbitrary.js";
import { formatNames, strategyNames } from "../../../conformance/program/config-codec.js";
import { parseProgram } from "../../../conformance/program/file.js";
import { printJsonProgram } from "../../../conformance/program/json.js";
import { isSplitCall, operandsOf, operationNames } from "../../../conformance/program/operation-codec.js";
import { printTextProgram } from "../../../conformance/program/print.js";
import type { Program } from "../../../conformance/program/program.js";
import { trace } from "../../../conformance/program/trace.js";
import { completeConfig, type Config } from "../../../spec/sfork/config.js";
import { maxDescriptors } from "../../../spec/sfork/kernel.js";
import { initial, registerCount } from "../../../spec/sfork/machine.js";
import type { ActionOperand, OperandKind, Operation } from "../../../spec/sfork/operation.js";
import { runFrom } from "../../../spec/sfork/step.js";
import { rightOf } from "./files.js";

const seed = 0x5f0b;
const parse = (text: string): Program => rightOf(parseProgram(text, "p")).program;
const anyFile = programOf(anyConfig, anyStepOfFile, 20);

describe(`the two forms (seed ${seed})`, () => {
  const check = (property: (program: Program) => void): void => {
    fc.assert(fc.property(anyFile, property), { seed, numRuns: 300 });
  };

  test("text gives the program back, and the same text again", () => {
    check((program) => {
      const text = printTextProgram(program);
      expect(parse(text)).toStrictEqual(program);
      expect(printTextProgram(parse(text))).toBe(text);
    });
  });

  test("JSON gives the program back, and the same JSON again", () => {
    check((program) => {
      const json = printJsonProgram(program);
      expect(parse(json)).toStrictEqual(program);
      expect(printJsonProgram(parse(json))).toBe(json);
    });
  });

  test("text and JSON convert into each other without loss", () => {
    check((program) => {
      expect(printTextProgram(parse(printJsonProgram(program)))).toBe(printTextProgram(program));
      expect(printJsonProgram(parse(printTextProgram(program)))).toBe(printJsonProgram(program));
    });
  });

  test("any text is read or refused in one line", () => {
    const scraps = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "sfork 1",
        "0: ",
        "expect ",
        "config ",
        "cap ",
        "fds ",
        "set ",
        "bytes ",
        "process P1 ",
        "signals=",
        "signalled=",
        "handler ",
        "none",
        "-",
        "P1",
        "page=",
        "c1",
        ", ",
        "(",
        ")",
        "\n",
        "0x",
        "{",
        '"',
      ),
      fc.constantFrom(...operationNames),
    );
    const text = fc.array(scraps, { maxLength: 12 }).map((parts) => parts.join(""));
    const headed = fc.tuple(fc.constantFrom("", "sfork 1\n", "sfork 1\n0: ", '{"version":1,"steps":[{'), text);
    fc.assert(
      fc.property(headed, ([head, tail]) => {
        const parsed = parseProgram(head + tail, "p");
        if (parsed._tag === "Left")
          expect(parsed.left.describe()).toMatch(/^p:\d+:\d+: [ -\ud7ff\ue000-\uffff]{1,400}$/);
      }),
      { seed, numRuns: 2000 },
    );
  });
});

const legal = (config: Partial<Config>): Config => {
  const complete = completeConfig(config);
  if ("illegal" in complete) throw new Error(complete.illegal);
  return complete;
};

describe.each(formatNames)(`every list of steps is a legal program (%s, seed ${seed})`, (format) => {
  test.each(strategyNames)("%s", (strategy) => {
    const config = legalConfig(fc.constant(format), fc.constant(strategy));
    fc.assert(
      fc.property(programOf(config), (program) => {
        const traced = [...trace(legal(program.config), program.steps)];
        expect(traced).toHaveLength(program.steps.length);
        // The trace is the run: it only looks.
        const { observations } = runFrom(initial(legal(program.config)), program.steps);
        expect(traced.map(({ observation }) => observation)).toStrictEqual(observations);
      }),
      { seed, numRuns: 60 },
    );
  });
});

const isHandler = (value: unknown): value is Exclude<ActionOperand, string> =>
  typeof value === "object" && value !== null && "code" in value;

/** The same operand with register numbers beyond the last, and descriptors behind the table. */
const operandBeyond = (kind: OperandKind | undefined, value: unknown): unknown => {
  if (kind === "register" && typeof value === "number") return value + 3 * registerCount;
  if (kind === "descriptor" && typeof value === "number") return value + 2 * maxDescriptors;
  if (isHandler(value)) return { code: value.code + registerCount, data: value.data + 2 * registerCount };
  return isSplitCall(value) ? beyond(value) : value;
};

const beyond = (operation: Operation): Operation => {
  const kinds = new Map(operandsOf(operation.op).map(({ name, kind }) => [name, kind]));
  const changed: unknown = Object.fromEntries(
    Object.entries(operation).map(([key, value]: readonly [string, unknown]) => [
      key,
      operandBeyond(kinds.get(key), value),
    ]),
  );
  return changed as Operation;
};

test(`registers and descriptors out of range are reduced by the machine (seed ${seed})`, () => {
  const steps = fc.array(fc.record({ actor: fc.nat(3), operation: anyOperation }), { maxLength: 30 });
  fc.assert(
    fc.property(legalConfig(), steps, (config, plain) => {
      const start = initial(legal(config));
      const wild = plain.map(({ actor, operation }) => ({ actor, operation: beyond(operation) }));
      expect(runFrom(start, wild).observations).toStrictEqual(runFrom(start, plain).observations);
    }),
    { seed, numRuns: 100 },
  );
});

test("every operation is generated, and most kinds of observation are reached", () => {
  const programs = fc.sample(programOf(legalConfig()), { seed, numRuns: 400 });
  const traced = programs.flatMap(({ config, steps }) => [...trace(legal(config), steps)]);
  expect(new Set(traced.map(({ step }) => step.operation.op))).toEqual(new Set(operationNames));
  const kinds = new Set(traced.map(({ observation }) => observation.kind));
  const rare = ["process", "no-actor", "out-of-frames", "outside-profile"];
  const common = [
    ...[
      "capability",
      "integer",
      "none",
      "child",
      "trap",
      "error",
      "would-block",
      "unsupported",
      "halted",
      "bad-choice",
    ],
    ...["bytes", "descriptor", "descriptors", "set"],
  ];
  expect([...kinds].filter((kind) => !rare.includes(kind)).sort()).toEqual(common.sort());
  expect(traced.some(({ signals }) => signals.length > 0)).toBe(true);
});

/** The specification as a server: every line is answered, whatever it is, and what it answers is right. */
import fc from "fast-check";
import { Ajv2020 } from "ajv/dist/2020.js";
import { isRight } from "fp-ts/lib/Either.js";
import { describe, expect, test } from "vitest";
import { judgeAnswer, type RawAnswer } from "../../../conformance/check/answers.js";
import { generate } from "../../../conformance/generate/generate.js";
import { operationNames } from "../../../conformance/program/operation-codec.js";
import { trace } from "../../../conformance/program/trace.js";
import { decodeAsked, decodeHello, decodeResult, helloLine, runLine } from "../../../conformance/protocol/messages.js";
import { allowedOf, declarationOf, runOf } from "../../../conformance/protocol/negotiate.js";
import { answerLine, oracleHello, refusal } from "../../../conformance/protocol/oracle.js";
import { protocolSchema } from "../../../conformance/protocol/schema.js";

const programs = Array.from({ length: 40 }, (_, index) => generate("protocol", index, { steps: 30 }));

const answerTo = (text: string): unknown => JSON.parse(answerLine(1, text).text);

const runs = programs.map(({ config, steps }, id) => runLine(runOf(id, config, steps, true)));

const sent = programs.map(({ version, config, steps }) => ({
  ...{ version, config },
  steps: runOf(0, config, steps).steps.map(({ thread, operation }) => ({ actor: thread, operation })),
}));

describe("the oracle", () => {
  test("observes of a program that was sent what the machine does, to its end", () => {
    for (const [id, { config, steps }] of programs.entries()) {
      // Choices are not sent.
      const free = steps.map(({ actor, operation }) => {
        const kept = Object.entries(operation).filter(([name]) => !["slot", "pid", "reap"].includes(name));
        return { actor, operation: Object.fromEntries(kept) as unknown as typeof operation };
      });
      const seen = [...trace(config, free)].filter(({ actor }) => actor !== undefined);
      const { observations } = answerTo(runs[id] ?? "") as RawAnswer;
      expect(observations).toStrictEqual(seen.map(({ canonical }) => canonical));
    }
  });

  test.for([["configured"], ["own"]] as const)("holds beside the specification (addresses %s)", ([addresses]) => {
    let all = 0;
    for (const [id, program] of sent.entries()) {
      const { finding, compared } = judgeAnswer(program, { addresses }, answerTo(runs[id] ?? "") as RawAnswer);
      expect(finding).toBeUndefined();
      all += compared;
    }
    expect(all).toBeGreaterThan(400);
  });

  test("an observation that is changed is a finding, in its step", () => {
    for (const [id, program] of sent.slice(0, 10).entries()) {
      const { observations, ...rest } = answerTo(runs[id] ?? "") as RawAnswer;
      const changed = observations.with(0, { fd: 77 });
      const { finding } = judgeAnswer(program, { addresses: "configured" }, { observations: changed, ...rest });
      expect(finding).toMatchObject({ kind: "observation", step: 0, actual: "fd 77" });
    }
  });

  test.for([
    ["{", "json", "this is not JSON; write an object on a line of its own"],
    ["[]", "message", "this is no message; write an object"],
    ['{"type":"walk"}', "message", 'the type is not known; it is "hello" or "run"'],
    ['{"type":"hello","protocol":2}', "protocol", "this is version 1 of the protocol; ask for that"],
    [
      '{"steps":[{"actor":0,"op":"fork","cd":16}]}',
      "program",
      "steps[0].cd: 16 is not a register; registers are 0 to 15",
    ],
    ['{"steps":[{"op":"yield"}]}', "program", "steps[0]: the step has no thread; say who takes it"],
    ['{"config":{"page":100},"steps":[]}', "program", /^config: it is illegal, CFG-1 demands: /],
    [
      '{"config":{"page":65536,"pages":2048,"frames":9999},"steps":[]}',
      "limit",
      /^config: a region is larger than 64 MiB/,
    ],
    [`{"steps":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "program", /^steps\[0\]: /],
  ] as const)("answers %s with an error", ([text, code, message]) => {
    const answer = answerTo(text) as { readonly message: string };
    expect(answer).toMatchObject({ type: "error", line: 1, code });
    if (typeof message === "string") expect(answer.message).toBe(message);
    else expect(answer.message).toMatch(message);
  });

  test("answers any line with a line, and never throws", () => {
    const [valid = ""] = runs;
    const damaged = fc
      .tuple(fc.nat(valid.length - 1), fc.nat(20), fc.string())
      .map(([at, size, text]) => valid.slice(0, at) + text + valid.slice(at + size));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), damaged), (line) => {
        const { text } = answerLine(3, line);
        expect(text).not.toContain("\n");
        const { type } = JSON.parse(text) as { readonly type: string };
        expect(["error", "result", "hello"]).toContain(type);
      }),
      { numRuns: 300 },
    );
  });
});

describe("what is declared", () => {
  const declared = {
    ...oracleHello,
    operations: ["li", "fork", "loadcap"],
    formats: ["morello"],
    strategies: ["copa"],
  } as const;
  const declaration = declarationOf({ ...declared, limits: { page: [4096], pages: 6, processes: 2 } });
  if ("wrong" in declaration) throw new Error(declaration.wrong);

  test("and nothing else is generated", () => {
    const allowed = allowedOf({ formats: ["morello", "rvy64"], strategies: ["eager", "copa"] }, declaration);
    if ("wrong" in allowed) throw new Error("nothing is left");
    for (let index = 0; index < 60; index += 1) {
      const { config, steps } = generate("declared", index, { ...allowed, steps: 20 });
      expect(config).toMatchObject({ format: "morello", strategy: "copa", page: 4096 });
      expect(config.pages).toBeLessThanOrEqual(6);
      expect(config.processes).toBeLessThanOrEqual(2);
      for (const { operation } of steps) expect(declared.operations).toContain(operation.op);
    }
  });

  test.for([
    [{ formats: [] }, "no formats; name some"],
    [{ limits: { page: [300] } }, "limits.page: 300 is no page size; sizes are powers of two from 256 to 65536"],
    [{ limits: { pages: 3 } }, "limits.pages: a region has at least 4 pages"],
  ] as const)("must be possible: %o", ([change, wrong]) => {
    expect(declarationOf({ ...oracleHello, ...change })).toStrictEqual({ wrong });
  });
});

describe("the schema", () => {
  const ajv = new Ajv2020({ strict: false });
  const schema = protocolSchema();
  ajv.addSchema(schema, "protocol");
  const validator = (name: string): ((value: unknown) => boolean) => {
    const validate = ajv.compile({ $ref: `protocol#/$defs/${name}` });
    return (value) => validate(value);
  };
  const [run, result, hello, ask, error] = ["run", "result", "hello", "ask", "error"].map(validator);

  test("has every message that is sent, and every answer of the oracle's", () => {
    expect(ask?.(JSON.parse(helloLine))).toBe(true);
    expect(hello?.(oracleHello)).toBe(true);
    expect(error?.(JSON.parse(refusal(1, "json", "no").text))).toBe(true);
    for (const line of runs) {
      expect(run?.(JSON.parse(line))).toBe(true);
      expect(result?.(answerTo(line))).toBe(true);
    }
  });

  test("covers every operation", () => {
    const text = JSON.stringify(schema);
    for (const name of operationNames) expect(text).toContain(`"op":{"const":"${name}"}`);
  });

  /** Another value somewhere in a message. */
  const altered = (message: unknown): fc.Arbitrary<unknown> =>
    fc.tuple(fc.nat(), fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constant(undefined))).map(([nth, value]) => {
      const copy: unknown = structuredClone(message);
      const places: [Record<string, unknown>, string][] = [];
      const visit = (node: unknown): void => {
        if (typeof node !== "object" || node === null) return;
        for (const key of Object.keys(node)) {
          places.push([node as Record<string, unknown>, key]);
          visit((node as Record<string, unknown>)[key]);
        }
      };
      visit(copy);
      const [node, key] = places[nth % places.length] ?? [{}, ""];
      if (value === undefined && !Array.isArray(node)) Reflect.deleteProperty(node, key);
      else node[key] = value ?? null;
      return JSON.parse(JSON.stringify(copy)) as unknown;
    });

  test("takes nothing that the codecs refuse", () => {
    const cases = [
      [run, (value: unknown) => isRight(decodeAsked(value)), JSON.parse(runs[3] ?? "") as unknown],
      [result, (value: unknown) => isRight(decodeResult(value)), answerTo(runs[3] ?? "")],
      [hello, (value: unknown) => isRight(decodeHello(value)), oracleHello],
    ] as const;
    for (const [validate, decodes, message] of cases) {
      expect(decodes(message)).toBe(true);
      let refused = 0;
      fc.assert(
        fc.property(altered(message), (value) => {
          const [byCodec, bySchema] = [decodes(value), validate?.(value)];
          if (!byCodec) refused += 1;
          if (bySchema === true) expect(byCodec).toBe(true);
        }),
        { numRuns: 300 },
      );
      expect(refused).toBeGreaterThan(50);
    }
  });
});

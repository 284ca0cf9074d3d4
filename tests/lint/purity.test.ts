/** The purity rules of the specification bite: each is broken once, in a text linted as if it were a file of spec. */
import path from "node:path";
import { ESLint } from "eslint";
import { beforeAll, describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

const planted = [
  ["a variable", "functional/no-let", "export const f = (): bigint => { let a = 1n; return a; };"],
  [
    "a for loop",
    "functional/no-loop-statements",
    "export const f = (xs: readonly bigint[]): bigint => { for (const x of xs) { return x; } return 0n; };",
  ],
  [
    "a while loop",
    "functional/no-loop-statements",
    "export const f = (x: bigint): bigint => { while (x > 1n) { return x; } return 0n; };",
  ],
  [
    "a push to an array",
    "functional/immutable-data",
    "const all: readonly bigint[] = []; export const f = (x: bigint): number => (all as bigint[]).push(x);",
  ],
  [
    "an entry put into a map",
    "functional/immutable-data",
    "const seen = new Map<bigint, bigint>(); export const f = (x: bigint): unknown => seen.set(x, x);",
  ],
  [
    "a parameter's member assigned",
    "functional/immutable-data",
    "export const f = (box: { a: bigint }): bigint => { box.a = 1n; return box.a; };",
  ],
  [
    "an element assigned",
    "functional/immutable-data",
    "export const f = (xs: bigint[]): bigint => { xs[0] = 1n; return 1n; };",
  ],
  [
    "a statement for its effect",
    "functional/no-expression-statements",
    "export const f = (g: () => bigint): bigint => { g(); return 0n; };",
  ],
  ["a throw", "functional/no-throw-statements", 'export const f = (): never => { throw new Error("no"); };'],
  [
    "a try",
    "functional/no-try-statements",
    "export const f = (g: () => bigint): bigint => { try { return g(); } catch { return 0n; } };",
  ],
  ["a class", "functional/no-classes", "export class Machine { readonly a = 1n; }"],
  ["this", "functional/no-this-expressions", "export function f(this: bigint): bigint { return this; }"],
  [
    "a mutable member of an interface",
    "functional/type-declaration-immutability",
    "export interface Machine { steps: bigint; }",
  ],
  ["a mutable member of an interface", "no-restricted-syntax", "export interface Machine { steps: bigint; }"],
  ["a mutable member, deeper", "no-restricted-syntax", "export interface Machine { readonly at: { steps: bigint }; }"],
  ["a mutable array in an interface", "no-restricted-syntax", "export interface Machine { readonly steps: bigint[]; }"],
  ["a mutable tuple", "no-restricted-syntax", "export interface Machine { readonly ends: [bigint, bigint]; }"],
  ["a mutable map", "no-restricted-syntax", "export interface Machine { readonly memory: Map<bigint, bigint>; }"],
  ["a typed array", "no-restricted-syntax", "export interface Machine { readonly memory: Uint8Array; }"],
  ["a mutable record", "functional/type-declaration-immutability", "export type Machine = Record<string, bigint>;"],
  ["a mutable mapped type", "no-restricted-syntax", 'export type Machine = { [K in "a" | "b"]: readonly K[] };'],
  ["the clock", "no-restricted-globals", "export const f = (): number => Date.now();"],
  ["chance", "no-restricted-properties", "export const f = (): number => Math.random();"],
  ["output", "no-restricted-globals", "export const f = (): unknown => console;"],
  ["any", "@typescript-eslint/no-explicit-any", "export const f = (x: any): bigint => x === 1 ? 1n : 0n;"],
  [
    "a union not taken apart in full",
    "@typescript-eslint/switch-exhaustiveness-check",
    'export const f = (x: "a" | "b"): bigint => { switch (x) { case "a": return 1n; } return 0n; };',
  ],
] as const;

const sound = `
import { match } from "ts-pattern";

export interface Machine {
  readonly registers: readonly bigint[];
  readonly memory: ReadonlyMap<bigint, bigint>;
  readonly ends: readonly [bigint, bigint];
}
export type Operation =
  | { readonly op: "set"; readonly register: number; readonly value: bigint }
  | { readonly op: "store"; readonly address: bigint; readonly register: number };
type OperationOf<K extends Operation["op"]> = Extract<Operation, { readonly op: K }>;
export type Rules = { readonly [K in Operation["op"]]: (machine: Machine, operation: OperationOf<K>) => Machine };

export const rules: Rules = {
  set: (machine, { register, value }) => ({ ...machine, registers: machine.registers.with(register, value) }),
  store: (machine, { address, register }) => ({
    ...machine,
    memory: new Map([...machine.memory, [address, machine.registers[register] ?? 0n]]),
  }),
};
export function describeOperation(operation: Operation): string {
  return match(operation)
    .with({ op: "set" }, ({ value }) => \`set \${value}\`)
    .with({ op: "store" }, ({ address }) => \`store \${address}\`)
    .exhaustive();
}
export const sum = (values: Iterable<bigint>): bigint => [...values].reduce((total, value) => total + value, 0n);
`;

// The rules need types, so a text stands in for a file that the compiler knows...
const known = path.join(root, "spec/cheri/index.ts");
// ...or is announced to it.
const announced = "spec/planted/constants.ts";

describe("purity of the specification", () => {
  const eslint = new ESLint({
    cwd: root,
    overrideConfig: {
      languageOptions: { parserOptions: { projectService: { allowDefaultProject: [announced] } } },
    },
  });
  const rulesBrokenBy = async (text: string, filePath = known): Promise<readonly (string | null)[]> => {
    const results = await eslint.lintText(text, { filePath });
    return results.flatMap(({ messages }) => messages.map(({ ruleId }) => ruleId));
  };
  // The first text takes seconds, for the compiler reads the project.
  beforeAll(async () => {
    await rulesBrokenBy("");
  });

  test.each(planted)("%s: %s", async (_, rule, text) => {
    expect(await rulesBrokenBy(text)).toContain(rule);
  });

  test("a sound text passes", async () => {
    expect(await rulesBrokenBy(sound)).toEqual([]);
  });

  test.each([
    ["constants", "export const width = 64;", []],
    ["a function", "export const decode = (x: bigint): bigint => x;", ["no-restricted-syntax"]],
  ])("a file of constants with %s", async (_, text, rules) => {
    expect(await rulesBrokenBy(text, path.join(root, announced))).toEqual(rules);
  });
});

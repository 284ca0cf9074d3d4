/** The cases of rules, by the table of operations: what each operation can come to, and which rule it belongs to. */
import { operations, type OperationEntry, type OperationName } from "../../spec/sfork/operation.js";
import type { CoverageResult } from "../coverage.js";
import type { Outcome } from "../outcome.js";

export const caseKinds = ["succeeded", "failed", "trapped"] as const;

export type CaseKind = (typeof caseKinds)[number];

export interface RuleCase {
  /** Operation and case: `loadcap/ok`, `loadcap/bounds`, `open/ENOENT`, `read/would-block`, `csetbounds/untagged`. */
  readonly name: string;
  /** `MEM-3`. */
  readonly rule: string;
  readonly operation: OperationName;
  readonly kind: CaseKind;
  /** The error, the cause of the trap; `ok` where it succeeds. */
  readonly as: string;
}

/** They give back what they were given, or clear it on purpose. */
const unfailing: readonly string[] = ["cmove", "ccleartag"];

/** A capability operation that traps for nothing makes an untagged result where it may not make a tagged one (CAP-3). */
const losesTags = (name: string, { result, rule, traps }: OperationEntry): boolean =>
  rule.startsWith("CAP-") && result === "capability" && traps === undefined && !unfailing.includes(name);

const casesOf = (operation: OperationName): readonly RuleCase[] => {
  const entry: OperationEntry = operations[operation];
  const { rule, errors = [], traps = [], blocks = false, choices = [] } = entry;
  const one = (kind: CaseKind, as: string): RuleCase => ({ name: `${operation}/${as}`, rule, operation, kind, as });
  return [
    one("succeeded", "ok"),
    ...errors.map((error) => one("failed", error)),
    ...(blocks ? [one("failed", "would-block")] : []),
    ...(choices.length > 0 ? [one("failed", "bad-choice")] : []),
    ...(losesTags(operation, entry) ? [one("failed", "untagged")] : []),
    ...traps.map((cause) => one("trapped", cause)),
  ];
};

const names = Object.keys(operations) as readonly OperationName[];

/** In the order of the table. */
export const ruleCases: readonly RuleCase[] = names.flatMap(casesOf);

/** The name of the case that an outcome is; undefined where it says nothing of the operation. */
export const caseOf = (operation: OperationName, outcome: Outcome): string | undefined => {
  switch (outcome.kind) {
    case "succeeded":
      return `${operation}/ok`;
    case "failed":
    case "trapped":
      return `${operation}/${outcome.as}`;
    case "discarded":
      return undefined;
  }
};

/** Cases by the number of steps that were one. */
type CaseCounts = ReadonlyMap<RuleCase, number>;

export const countCases = ({ operations: seen }: Pick<CoverageResult, "operations">): CaseCounts =>
  new Map(
    ruleCases.map((one) => {
      const of = seen[one.operation];
      return [one, (one.kind === "succeeded" ? of?.succeeded : of?.[one.kind][one.as]) ?? 0];
    }),
  );

/** Why nothing comes to a case that the table declares. */
const reasons = {
  unmapped: "a capability to memory that is not mapped has lost its tag, and is refused for that first (REUSE-1)",
  local: "no capability of a machine has Store-Local, so that no local one comes into memory (LAY-1)",
  open: "a call that is under way keeps its description open (KERN-2)",
} as const;

/** Cases that no program comes to, and why: an implementation that breaks another rule may. */
export const unreachable: ReadonlyMap<string, string> = new Map([
  ...ruleCases.filter(({ as }) => as === "page-unmapped").map(({ name }): [string, string] => [name, reasons.unmapped]),
  ["cmemcpy/perm-store-local", reasons.local],
  ["munmap/ENOMEM", reasons.unmapped],
  ["mprotect/ENOMEM", reasons.unmapped],
  ["madvise/ENOMEM", reasons.unmapped],
  ["call_finish/EBADF", reasons.open],
]);

/** What the table says can be reached, and was not. */
export const notReached = (counts: CaseCounts): readonly RuleCase[] =>
  ruleCases.filter((one) => counts.get(one) === 0 && !unreachable.has(one.name));

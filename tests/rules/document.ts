/** `docs/rules.md` of this checkout. */
import { documentFile, readRules, type Entry, type Rule } from "../../conformance/rules/document.js";
import { readSource } from "./code.js";

export const rules: readonly Rule[] = readRules(readSource(documentFile));

export const entries: readonly Entry[] = rules.flatMap((rule) => rule.entries);

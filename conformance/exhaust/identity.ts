/** What tells one search from another: where it goes, and the code that judges and is judged. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { printTextProgram } from "../program/print.js";
import { programOf, type Space } from "./space.js";

/** What decides whether a step is as it should be. A transition that was judged by other code is not judged. */
const folders = ["../../spec", "../../impl", "../check", "../defects", "../exhaust", "../implementations"];

const codeIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /(?<!\.d)\.[jt]s$/.test(name))
    .sort()
    .map((name) => join(folder, name));

let known: string | undefined;

/** A hash of the code: another one after any change. */
const code = (): string => {
  if (known !== undefined) return known;
  const hash = createHash("sha256");
  for (const folder of folders) {
    const path = fileURLToPath(new URL(folder, import.meta.url));
    for (const file of codeIn(path)) hash.update(file.slice(path.length)).update(readFileSync(file));
  }
  known = hash.digest("hex");
  return known;
};

/** `implementation`: the name of what is judged. */
export const identityOf = (space: Space, implementation: string): string =>
  createHash("sha256")
    .update([code(), implementation, printTextProgram(programOf(space, [...space.operations.keys()]))].join("\n"))
    .digest("hex");

/** The file of a search, without its folder. */
export const fileOf = ({ name }: Space, implementation: string, identity: string): string => {
  const { alphabet, format, strategy, processes } = name;
  const words = [alphabet, format, strategy, processes, implementation.replaceAll(" ", "-"), identity.slice(0, 12)];
  return words.join("-");
};

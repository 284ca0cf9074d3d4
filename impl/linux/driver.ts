/** The driver: compiled on first use, kept in the user's cache, and spoken to over two named pipes. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";

/** Why there is no driver: nothing that the implementation under test did. */
export class Unavailable extends Error {
  readonly code = "SFORK_UNAVAILABLE";
}

/** Beside this file, or, where this is what was built of it, in the folder that it was built from. */
const source = ["driver.c", "../../../impl/linux/driver.c"]
  .map((place) => new URL(place, import.meta.url))
  .find((place) => existsSync(place));

const flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-static"];

const cacheFolder = (): string => path.join(process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"), "sfork");

const compiled = (text: string, file: string): string => {
  const unfinished = `${file}.${randomBytes(6).toString("hex")}`;
  const { error, status, stderr } = spawnSync("cc", [...flags, "-x", "c", "-o", unfinished, "-"], {
    input: text,
    encoding: "utf8",
  });
  if (error !== undefined)
    throw new Unavailable("a C compiler is needed for linux: there is no cc; install gcc or clang");
  if (status !== 0)
    throw new Unavailable(`the linux driver does not compile: ${stderr.trim().split("\n")[0] ?? "cc failed"}`);
  renameSync(unfinished, file);
  return file;
};

/** The driver as a program, by a name that says what it was made of. Throws `Unavailable`. */
export const driverFile = (): string => {
  if (process.platform !== "linux") throw new Unavailable(`linux needs Linux; this is ${process.platform}`);
  if (process.arch !== "x64" && process.arch !== "arm64")
    throw new Unavailable(`linux runs on x64 and arm64; this is ${process.arch}`);
  if (source === undefined) throw new Unavailable("impl/linux/driver.c is missing; install the package again");
  const text = readFileSync(source, "utf8");
  const hash = createHash("sha256")
    .update(flags.join(" "))
    .update(process.arch)
    .update(text)
    .digest("hex")
    .slice(0, 16);
  const folder = cacheFolder();
  const file = path.join(folder, `linux-${hash}`);
  if (existsSync(file)) return file;
  try {
    mkdirSync(folder, { recursive: true });
  } catch {
    return compiled(text, path.join(mkdtempSync(path.join(tmpdir(), "sfork-")), "linux"));
  }
  return compiled(text, file);
};

/** A driver that runs: lines in, lines out, one program after the other. */
export class Driver {
  readonly #child: ChildProcess;
  readonly #input: number;
  readonly #output: number;
  readonly #folder: string;
  #rest = "";

  constructor(file = driverFile()) {
    this.#folder = mkdtempSync(path.join(tmpdir(), "sfork-pipes-"));
    const [input, output] = ["input", "output"].map((name) => path.join(this.#folder, name)) as [string, string];
    const { status } = spawnSync("mkfifo", ["-m", "600", input, output]);
    if (status !== 0) throw new Unavailable(`no named pipes can be made in ${tmpdir()}`);
    this.#child = spawn(file, [input, output], { stdio: ["ignore", "ignore", "inherit"] });
    this.#child.unref();
    // In the order in which the driver opens them: each waits for the other side.
    this.#input = openSync(input, "w");
    this.#output = openSync(output, "r");
    // Nobody else needs their names.
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Send lines, and read `count` lines; fewer, if the driver ends before. */
  exchange(lines: readonly string[], count: number): readonly string[] {
    const text = Buffer.from(`${lines.join("\n")}\n`);
    try {
      for (let sent = 0; sent < text.length;) sent += writeSync(this.#input, text, sent);
    } catch {
      return [];
    }
    const found: string[] = [];
    const chunk = Buffer.alloc(1 << 16);
    for (;;) {
      const parts = this.#rest.split("\n");
      this.#rest = parts.pop() ?? "";
      found.push(...parts);
      if (found.length >= count) return found;
      const size = readSync(this.#output, chunk);
      if (size === 0) return found;
      this.#rest += chunk.toString("latin1", 0, size);
    }
  }

  /** It ends when its input does. */
  close(): void {
    closeSync(this.#input);
    closeSync(this.#output);
  }
}

/** What an implementation leaves behind, ended: its process group, and whoever still carries the campaign's mark. */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** The variable of the environment by which the descendants of an implementation are known. */
export const markName = "SFORK_CAMPAIGN";

const kill = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
};

/** End a process group, whatever its members make of signals. */
export const endGroup = (leader: number): void => {
  kill(-leader);
};

const hasMark = (pid: string, mark: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`${markName}=${mark}`);
  } catch {
    // It has ended, or is somebody else's.
    return false;
  }
};

const marked = (mark: string): readonly number[] => {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && hasMark(name, mark))
      .map(Number)
      .filter((pid) => pid !== process.pid);
  } catch {
    // There is no /proc but on Linux.
    return [];
  }
};

/** Times that it is looked again: who makes processes faster than they are found is beyond this. */
const rounds = 50;

/**
 * End every process with the mark in the environment that it was started with, on Linux. Who took another environment, in a
 * session of its own, is not found.
 */
export const endMarked = (mark: string): void => {
  for (let round = 0; round < rounds; round += 1) {
    const found = marked(mark);
    if (found.length === 0) return;
    found.forEach(kill);
  }
};

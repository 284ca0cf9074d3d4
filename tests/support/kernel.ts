/** Tests that need the running kernel as a judge, and a C compiler for its driver. */
import process from "node:process";
import { driverFile, Unavailable } from "../../impl/linux/index.js";

/** Why there is none; undefined where there is. */
const missing = (): string | undefined => {
  try {
    driverFile();
    return undefined;
  } catch (error) {
    if (error instanceof Unavailable) return error.message;
    throw error;
  }
};

/** Skipped on a user's machine that lacks it, with the reason; where everything is to be tested (CI), it fails. */
export const withoutKernel = process.env["CI"] === "true" ? undefined : missing();

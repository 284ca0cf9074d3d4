import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    // Vitest keeps one core for itself, which on a machine with two would leave a single worker.
    maxWorkers: "100%",
    // Property tests and tests that start a process need more than the usual five seconds on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});

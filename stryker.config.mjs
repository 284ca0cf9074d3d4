// Mutation of the specification. Started by `npm run mutate`, which adds what to mutate: docs/mutation.md.
export default {
  testRunner: "vitest",
  vitest: { configFile: "vitest.mutation.config.ts", related: false },
  coverageAnalysis: "perTest",
  incremental: true,
  concurrency: 1,
  ignorePatterns: ["dist", "reports", ".sfork", "docs", "*.tgz"],
  reporters: ["clear-text", "json", "html"],
  clearTextReporter: { reportTests: false, allowColor: false },
  thresholds: { high: 100, low: 85, break: null },
  timeoutMS: 20000,
  tempDirName: "reports/stryker-tmp",
  cleanTempDir: "always",
};

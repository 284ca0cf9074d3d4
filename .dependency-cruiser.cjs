/**
 * The import borders. Arrows point one way:
 *
 *   cli, explorer, bench -> conformance -> { impl, spec },   impl -> spec (types and constants),   spec/sfork -> spec/cheri
 *
 * tests/lint/boundary.test.ts plants one violation of each rule and expects it to be reported under the rule's name.
 *
 * @type {import("dependency-cruiser").IConfiguration}
 */
module.exports = {
  forbidden: [
    {
      name: "spec-stands-alone",
      comment:
        "The specification imports itself and ts-pattern: no implementation, no other package, nothing of Node. " +
        "What it says must not depend on what is judged by it, nor on the machine that runs it.",
      severity: "error",
      from: { path: "^spec/" },
      to: { pathNot: ["^spec/", "(^|/)node_modules/ts-pattern/"] },
    },
    {
      name: "cheri-below-sfork",
      comment: "Capabilities know nothing of processes: spec/sfork builds on spec/cheri, never the other way.",
      severity: "error",
      from: { path: "^spec/cheri/" },
      to: { path: "^spec/sfork/" },
    },
    {
      name: "impl-shares-no-code-with-spec",
      comment:
        "An oracle that shares code with what it judges proves nothing. An implementation may `import type` from anywhere " +
        "in spec, and import values only from files there that are named constants.ts (which hold no functions: " +
        "see sfork/constants-hold-no-code in eslint.config.js).",
      severity: "error",
      from: { path: "^impl/" },
      to: { path: "^spec/", pathNot: "/constants\\.ts$", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "constants-import-constants",
      comment: "Otherwise a file of constants could hand functions of the specification on to an implementation.",
      severity: "error",
      from: { path: "^spec/.*/constants\\.ts$" },
      to: { pathNot: "/constants\\.ts$", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "impl-knows-only-spec",
      comment: "An implementation does not know what runs it.",
      severity: "error",
      from: { path: "^impl/" },
      to: { path: "^(conformance|cli|explorer|bench)/" },
    },
    {
      name: "conformance-below-its-users",
      comment: "The suite is a library; commands, views and benchmarks are built on it.",
      severity: "error",
      from: { path: "^conformance/" },
      to: { path: "^(cli|explorer|bench)/" },
    },
    {
      name: "nothing-imports-cli",
      comment: "Commands are thin: what two of them share belongs in conformance. Only tests may import them.",
      severity: "error",
      from: { pathNot: "^(cli|tests)/" },
      to: { path: "^cli/" },
    },
    {
      name: "no-built-files-in-product",
      comment: "The built package, or its own name, would lead around the borders above.",
      severity: "error",
      from: { path: "^(spec|impl|conformance|cli|explorer|bench)/" },
      to: { path: "^dist/" },
    },
    {
      name: "no-tests-in-product",
      severity: "error",
      from: { path: "^(spec|impl|conformance|cli|explorer|bench)/" },
      to: { path: "^(tests|scripts)/" },
    },
    {
      name: "no-dev-dependency-in-product",
      comment: "What ships runs with `dependencies` alone.",
      severity: "error",
      from: { path: "^(spec|impl|conformance|bench|cli)/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "^dist/|(^|/)node_modules/" },
    exclude: { path: "^(coverage|reports|\\.sfork)/" },
    // Sees `import type` and tells it from an import that is there when the program runs.
    tsPreCompilationDeps: "specify",
    tsConfig: { fileName: require("node:path").join(__dirname, "tsconfig.base.json") },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};

// @ts-check
import js from "@eslint/js";
import functional from "eslint-plugin-functional";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** What would make a step depend on something other than its arguments. */
const impureGlobals = [
  "Date",
  "console",
  "crypto",
  "eval",
  "fetch",
  "globalThis",
  "performance",
  "process",
  "queueMicrotask",
  "setImmediate",
  "setInterval",
  "setTimeout",
  "structuredClone",
];

/**
 * Everything declared is read-only, at any depth. `type-declaration-immutability` sees through aliases and utility types
 * but only one level down (its deep mode reports arrays that are read-only); these see every level, as written.
 */
const mutableDeclarations = [
  {
    selector: "TSPropertySignature:not([readonly=true]), TSIndexSignature:not([readonly=true])",
    message: "A member is `readonly`.",
  },
  {
    selector: "TSMappedType:not([readonly=true], [readonly='+'])",
    message: "A mapped member is `readonly`.",
  },
  {
    selector: ":not(TSTypeOperator[operator='readonly']) > :matches(TSArrayType, TSTupleType)",
    message: "An array or tuple type is `readonly`.",
  },
  {
    selector:
      "TSTypeReference[typeName.name=/^(Array|Map|Set|WeakMap|WeakSet|ArrayBuffer|DataView|\\w+\\d(Clamped)?Array)$/]",
    message: "Use a read-only collection: `readonly T[]`, `ReadonlyMap`, `ReadonlySet`.",
  },
];

/** `impl` may import the values of these files, so there must be nothing in them that could decide an answer. */
const codeAmongConstants = [
  {
    selector: "FunctionDeclaration, FunctionExpression, ArrowFunctionExpression",
    message: "A file of constants holds no functions.",
  },
];

export default defineConfig(
  globalIgnores(["dist/", "coverage/", "reports/", ".sfork/", ".cache/"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },

  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      // `import { type T }` would still load the module when it runs; the import borders rely on the difference.
      "@typescript-eslint/no-import-type-side-effects": "error",
      // A union is taken apart case by case, so that a new member breaks the build and not the run.
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: false, requireDefaultForNonUnion: true },
      ],
      // Numbers and big integers print the same everywhere.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      eqeqeq: "error",
    },
  },

  {
    // The specification is pure: a machine is a value and a step is a function.
    name: "sfork/spec-is-pure",
    files: ["spec/**/*.ts"],
    plugins: { functional },
    rules: {
      "functional/immutable-data": "error",
      "functional/no-classes": "error",
      "functional/no-expression-statements": "error",
      "functional/no-let": "error",
      "functional/no-loop-statements": "error",
      "functional/no-promise-reject": "error",
      "functional/no-this-expressions": "error",
      "functional/no-throw-statements": "error",
      "functional/no-try-statements": "error",
      "functional/type-declaration-immutability": [
        "error",
        { rules: [{ identifiers: ".+", immutability: "ReadonlyShallow", comparator: "AtLeast" }] },
      ],
      "no-restricted-globals": ["error", ...impureGlobals],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: "A choice is an argument of the step." },
      ],
      "no-restricted-syntax": ["error", ...mutableDeclarations],
    },
  },
  {
    name: "sfork/constants-hold-no-code",
    files: ["spec/**/constants.ts"],
    rules: { "no-restricted-syntax": ["error", ...mutableDeclarations, ...codeAmongConstants] },
  },

  {
    // The runner waits for its tests itself.
    files: ["examples/**/*.ts"],
    rules: {
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", name: "test", package: "node:test" }] },
      ],
    },
  },

  {
    files: ["**/*.js", "**/*.cjs"],
    languageOptions: { globals: { module: "writable", __dirname: "readonly" } },
  },
);

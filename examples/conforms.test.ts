/** How a test of your own demands conformance. `npx tsx --test examples/conforms.test.ts` runs it; docs/library.md says more. */
import { test } from "node:test";
import { assertConforms, type Create } from "sfork/conformance";
import { createFast } from "sfork/impl/fast";

/** Your implementation belongs here, in the place of the one that comes with the package. */
const create: Create = (config) => createFast(config);

test("observes what the specification does", async () => {
  await assertConforms(create, { strategies: ["eager", "copa"], runs: 100 });
});

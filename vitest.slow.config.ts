// `npm run test:slow`: tests that take minutes, one after another, since each needs the whole machine.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{functions,shared,convex,local,deploy,bench,samples,tools,tests}/**/*.slow.test.ts"],
    environment: "node",
    fileParallelism: false,
    testTimeout: 10 * 60_000,
    hookTimeout: 60_000,
  },
});

// `npm run test:slow`: tests that take minutes, two files at once.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{functions,shared,convex,local,deploy,bench,samples,tools,tests}/**/*.slow.test.ts"],
    environment: "node",
    maxWorkers: 2,
    testTimeout: 10 * 60_000,
    hookTimeout: 60_000,
  },
});

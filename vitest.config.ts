import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{functions,shared,convex,local,deploy,bench,samples,tools,tests}/**/*.test.ts"],
    // Those of vitest.slow.config.ts.
    exclude: [...configDefaults.exclude, "**/*.slow.test.ts"],
    // convex-test and the emulators live in this process; nothing is mocked globally.
    environment: "node",
    maxConcurrency: 2,
    // Many of them wait for processes of their own; the default would leave a core idle.
    maxWorkers: "100%",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

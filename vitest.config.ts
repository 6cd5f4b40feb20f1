import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{functions,shared,convex,local,deploy,bench,samples,tools,tests}/**/*.test.ts"],
    // convex-test and the emulators live in this process; nothing is mocked globally.
    environment: "node",
    maxConcurrency: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

// What `npm run collect` says before it asks anybody. What it does: tests/e2e/outputs.test.ts.
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { main } from "./collect.ts";

let out: string;
let err: string;
beforeEach(() => {
  [out, err] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => Boolean((out += String(text))));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean((err += String(text))));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

it("--help tells all of it", async () => {
  expect(await main(["--help"])).toBe(0);
  expect(out).toMatch(/--dry-run[\s\S]*--why/);
});

it.each([
  ["a negative age", ["--min-age-hours=-1"], /0 or more/],
  ["an age that is no number", ["--min-age-hours", "day"], /0 or more/],
  ["an endless age", ["--min-age-hours", "Infinity"], /0 or more/],
  ["no age", ["--min-age-hours", ""], /0 or more/],
  ["an object that is no address", ["--why", "jobs/a/chat.json"], /gs:\/\/bucket\/key/],
  ["an unknown option", ["--force"], /--force/],
])("%s is wrong use", async (_name, argv, sentence) => {
  expect(await main(argv)).toBe(2);
  expect(err).toMatch(sentence);
  expect(out).toBe("");
});

it("a data folder that is not there is wrong use, and stays so", async () => {
  vi.stubEnv("BUCKET", "");
  const folder = join(tmpdir(), `no-such-folder-${process.pid}`);
  expect(await main(["--data", folder])).toBe(2);
  expect(err).toContain(folder);
  expect(existsSync(folder)).toBe(false);
});

it("a deployment that is named by half says what is missing", async () => {
  vi.stubEnv("BUCKET", "outputs");
  for (const name of ["CONVEX_URL", "GOOGLE_CLOUD_PROJECT"]) vi.stubEnv(name, "");
  expect(await main(["--dry-run"])).toBe(1);
  expect(err).toMatch(/GOOGLE_CLOUD_PROJECT[\s\S]*CONVEX_URL/);
});

// The command against a real client's other end: the local Convex with the project's functions.
import { fileURLToPath } from "node:url";
import { exportJWK, generateKeyPair } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { LEGACY_BUCKET, expectedOf } from "#convex/legacyRows.setup.ts";
import { type MigrationResult, runMigration } from "#shared/cloud/runMigration.ts";
import type { LocalConvex } from "../convex/server.ts";
import { startConvexThread } from "../convex/thread.ts";
import { main } from "./migrate.ts";

const COUNTS = { scenes: 30, sessions: 10 };
const ADMIN_KEY = "admin";
const expected = expectedOf(COUNTS);
const keys = async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  return {
    apiKey: JSON.stringify(await exportJWK(privateKey)),
    jwks: JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), use: "sig", alg: "ES256" }] }),
  };
};

let convex: LocalConvex;
let apiKey: string;

const seed = async (path: string, args: object): Promise<unknown> => {
  const response = await fetch(`${convex.url}/api/mutation`, {
    method: "POST",
    headers: { Authorization: `Convex ${ADMIN_KEY}` },
    body: JSON.stringify({ path: `legacyRows.setup:${path}`, args: [args] }),
  });
  return ((await response.json()) as { value: unknown }).value;
};

beforeAll(async () => {
  const pair = await keys();
  apiKey = pair.apiKey;
  convex = await startConvexThread({
    folder: fileURLToPath(new URL("../../convex", import.meta.url)),
    env: { CONVEX_SERVICE_JWKS: pair.jwks, LEGACY_ASSET_BUCKET: LEGACY_BUCKET },
    adminKey: ADMIN_KEY,
  });
  const sessions = await seed("seedSessions", { count: COUNTS.sessions });
  await seed("seedScenes", { sessions, from: 0, to: COUNTS.scenes });
});
afterAll(() => convex.close());
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Runs the command, and tells what it wrote. */
const run = async (...argv: string[]) => {
  let [out, said] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => Boolean((out += String(text))));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean((said += String(text))));
  vi.stubEnv("CONVEX_API_KEY", apiKey);
  const exit = await main(argv);
  vi.restoreAllMocks();
  return { exit, out, said };
};
const figuresOf = ({ scenes, sessions, references, errors }: MigrationResult) => ({
  scenes,
  sessions,
  references,
  errors: errors.length,
});

describe("npm run migrate", () => {
  it("tells, does and verifies the same, and exits 1 for rows that are left", async () => {
    const dry = await run("--url", convex.url, "--dry-run", "--json");
    expect(figuresOf(JSON.parse(dry.out) as MigrationResult)).toEqual(expected);
    const done = await run("--url", convex.url, "--batch", "7", "--json");
    expect(figuresOf(JSON.parse(done.out) as MigrationResult)).toEqual(expected);
    expect([dry.exit, done.exit]).toEqual([1, 1]);
    const verified = await run("--url", convex.url, "--verify");
    expect(verified.out).toMatch(
      /new fields +ok\n.*references +ok\n.*totals +ok\n.*legacy rows +ok/,
    );
    expect(verified.out).toContain("The key is empty.");
  });

  it("a program gets the same result, and may stop a run", async () => {
    const stop = new AbortController();
    const result = await runMigration(convex.url, {
      env: { CONVEX_API_KEY: apiKey },
      batchSize: 1,
      signal: stop.signal,
      onStart: (how) => {
        expect(how).toBe("new");
        stop.abort();
      },
    });
    expect(result).toMatchObject({ mode: "run", state: "canceled", scenes: 0 });
    const rest = await run("--url", convex.url, "--json");
    expect(rest.said).toContain("Going on with the run that was stopped.");
    expect(JSON.parse(rest.out)).toMatchObject({ state: "completed", scenes: 0, references: 0 });
  });

  it.each([
    [["--bogus"], "Unknown option '--bogus'"],
    [["--batch", "1000"], "a number from 1 to 200"],
    [["--dry-run", "--verify"], "two different things"],
    [["--url", "nonsense"], "an address such as"],
  ])("%j is wrong use", async (argv, said) => {
    const answer = await run(...argv);
    expect(answer).toMatchObject({ exit: 2, out: "" });
    expect(answer.said).toContain(said);
  });

  it("says that nothing runs here, where no deployment is named either", async () => {
    const answer = await run("--data", "/nowhere");
    expect(answer).toMatchObject({ exit: 1, out: "" });
    expect(answer.said).toMatch(/^Nothing runs on .*--url/);
  });
});

// `npx node bench/migration.ts`: migration 001 over thousands of legacy rows, by the command that people
// run, broken off twice; prints what was expected and found, and fails where they differ. Not one of
// the ratios of `npm run bench`: there is no peer, and what counts is that the figures are right.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ConvexHttpClient } from "convex/browser";
import { exportJWK, generateKeyPair } from "jose";
import { api } from "#convex/_generated/api.js";
import { LEGACY_BUCKET, expectedOf } from "#convex/legacyRows.setup.ts";
import { startConvexThread } from "#local/convex/thread.ts";
import type { MigrationResult } from "#shared/cloud/runMigration.ts";
import { createServiceToken } from "#shared/cloud/serviceToken.ts";
import { SERVICE_AUDIENCE } from "#shared/contract/identity.ts";
import { tie } from "./scratch.ts";

const HELP = `Usage: npx node bench/migration.ts [--scenes N] [--sessions N]

Seeds legacy scenes (default 5000) in sessions (default 300), damaged ones among
them, into a Convex of its own, and runs npm run migrate: dry, killed, stopped,
twice at once, verified, again, and after damaged rows were mended.
`;

const FOLDER = fileURLToPath(new URL("../convex", import.meta.url));
const COMMAND = fileURLToPath(new URL("../local/cli/migrate.ts", import.meta.url));
const SEEDED_AT_ONCE = 250;

const { values } = parseArgs({
  options: {
    scenes: { type: "string", default: "5000" },
    sessions: { type: "string", default: "300" },
    help: { type: "boolean", short: "h", default: false },
  },
});

const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
const apiKey = JSON.stringify(await exportJWK(privateKey));
const publicJwk = { ...(await exportJWK(publicKey)), use: "sig", alg: "ES256" };

const startBackend = async () => {
  const adminKey = randomBytes(32).toString("hex");
  const convex = await startConvexThread({
    folder: FOLDER,
    env: {
      CONVEX_SERVICE_JWKS: JSON.stringify({ keys: [publicJwk] }),
      LEGACY_ASSET_BUCKET: LEGACY_BUCKET,
    },
    adminKey,
  });
  const token = createServiceToken({ apiKey, audience: SERVICE_AUDIENCE });
  const internal = async (path: string, args: object): Promise<unknown> => {
    const response = await fetch(`${convex.url}/api/mutation`, {
      method: "POST",
      headers: { Authorization: `Convex ${adminKey}` },
      body: JSON.stringify({ path: `legacyRows.setup:${path}`, args: [args] }),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return ((await response.json()) as { value: unknown }).value;
  };
  const status = async () => {
    const options = { logger: false as const, skipConvexDeploymentUrlCheck: true };
    const client = new ConvexHttpClient(convex.url, { ...options, auth: await token() });
    return client.query(api.migrations.status, {});
  };
  return { ...convex, internal, status };
};
type Backend = Awaited<ReturnType<typeof startBackend>>;

const seed = async (backend: Backend, counts: { scenes: number; sessions: number }) => {
  const sessions = await backend.internal("seedSessions", { count: counts.sessions });
  for (let from = 0; from < counts.scenes; from += SEEDED_AT_ONCE) {
    const to = Math.min(counts.scenes, from + SEEDED_AT_ONCE);
    await backend.internal("seedScenes", { sessions, from, to });
  }
};

interface Ended {
  exit: number | string;
  result: MigrationResult | undefined;
  said: string;
  tookSec: number;
}

const migrate = (
  backend: Backend,
  ...flags: string[]
): { child: ChildProcess; ended: Promise<Ended>; says: (text: string) => Promise<void> } => {
  const startedMs = performance.now();
  const child = tie(
    spawn(process.execPath, [COMMAND, "--url", backend.url, "--json", ...flags], {
      env: { ...process.env, CONVEX_API_KEY: apiKey },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  let [out, said] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const result = out === "" ? undefined : (JSON.parse(out) as MigrationResult);
      const tookSec = (performance.now() - startedMs) / 1000;
      resolve({ exit: signal ?? code ?? "?", result, said, tookSec });
    });
  });
  const says = async (text: string): Promise<void> => {
    const early = ended.then(() => {
      throw new Error(`The command ended before it said "${text}": ${said}`);
    });
    while (!said.includes(text)) await Promise.race([once(child.stderr, "data"), early]);
  };
  return { child, ended, says };
};

/** Waits for the run to have looked at so many rows. */
const reached = async (backend: Backend, rows: number): Promise<void> => {
  for (;;) {
    const run = await backend.status();
    if (run && run.processed >= rows) return;
    if (run && run.state !== "running") throw new Error(`The run is ${run.state} before ${rows}.`);
    await delay(50);
  }
};

let differences = 0;
const compare = (what: string, expected: unknown, found: unknown): void => {
  const [left, right] = [JSON.stringify(expected), JSON.stringify(found)];
  if (left !== right) differences += 1;
  process.stdout.write(`${left === right ? "ok  " : "FAIL"}  ${what}\n      expected ${left}\n`);
  if (left !== right) process.stdout.write(`      found    ${right}\n`);
};

const figures = ({ result }: Ended) =>
  result && {
    scenes: result.scenes,
    sessions: result.sessions,
    references: result.references,
    errors: result.errors.length,
  };

const prove = async (counts: { scenes: number; sessions: number }): Promise<void> => {
  const backend = await startBackend();
  const total = counts.scenes + counts.sessions;
  const expected = expectedOf(counts);
  const nothing = { ...expected, scenes: 0, sessions: 0, references: 0 };
  const timed = (what: string, { tookSec }: Ended): void =>
    void process.stdout.write(`      ${what} took ${tookSec.toFixed(1)} s\n`);
  await seed(backend, counts);

  const dry = await migrate(backend, "--dry-run").ended;
  compare("a dry run tells what a run would do", expected, figures(dry));
  compare("and exits 1 for the damaged rows", 1, dry.exit);
  timed("it", dry);
  compare("and starts nothing", null, await backend.status());

  const first = migrate(backend);
  await reached(backend, total * 0.1);
  first.child.kill("SIGKILL");
  compare("a run whose command is killed", "SIGKILL", (await first.ended).exit);
  await reached(backend, total * 0.2);

  const second = migrate(backend);
  await second.says("A run is under way already");
  await reached(backend, total * 0.4);
  second.child.kill("SIGINT");
  const stopped = await second.ended;
  compare(
    "goes on; the next command, which finds it, stops it by Ctrl-C",
    [1, "canceled"],
    [stopped.exit, stopped.result?.state],
  );
  const at = (await backend.status())?.processed;
  await delay(300);
  compare("at once", at, (await backend.status())?.processed);

  const both = await Promise.all([migrate(backend).ended, migrate(backend).ended]);
  compare("two commands at once go on with it to its end", [expected, expected], both.map(figures));
  const seen = (await backend.status())?.processed;
  compare("and looked at each row once", total, seen);
  const worked = both[0].result?.totalTimeMs ?? 0;
  process.stdout.write(`      the run's own time is ${(worked / 1000).toFixed(1)} s\n`);

  const verified = await migrate(backend, "--verify").ended;
  const verification = verified.result?.verification;
  compare("the verification finds nothing wrong", [], verification?.findings);
  compare("and as many references", expected.references, verification?.rows.assetReferences);
  timed("it", verified);

  const again = await migrate(backend).ended;
  compare("a second run changes nothing", nothing, figures(again));
  timed("it", again);

  const mended = Number(await backend.internal("mend", { limit: 10_000 }));
  const last = await migrate(backend).ended;
  const left = { done: mended, references: mended, errors: expected.errors - mended };
  const { scenes = 0, sessions = 0, references, errors } = figures(last) ?? {};
  compare("a run after mending", left, { done: scenes + sessions, references, errors });
  timed("it", last);
  const final = await migrate(backend, "--verify").ended;
  compare("verified again", [], final.result?.verification?.findings);
  await backend.close();
};

if (values.help) {
  process.stdout.write(HELP);
} else {
  const startedMs = performance.now();
  await prove({ scenes: Number(values.scenes), sessions: Number(values.sessions) });
  const tookSec = ((performance.now() - startedMs) / 1000).toFixed(0);
  process.stdout.write(`\n${differences} differences, in ${tookSec} s\n`);
  process.exitCode = differences === 0 ? 0 : 1;
}

// The scripts as a person runs them, with the real gcloud for topics and subscriptions, on Google's Pub/Sub
// emulator; then the sample job on a local cloud, through exactly those. All else that the scripts say to
// Google Cloud, and the policies, which the emulator refuses, are told to the stand-in.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type TestContext, afterAll, beforeAll, describe, expect, it } from "vitest";
import { CATALOG } from "#functions/catalog.ts";
import { startCloud } from "#local/cloud.ts";
import {
  type Emulator,
  emulatorInstalled,
  freePort,
  gcloud,
  startEmulator,
} from "#local/pubsub/testing/emulator.ts";
import { makePlan } from "./plan.ts";
import { readSettings } from "./settings.ts";
import { type State, emptyState } from "./shim/state.ts";
import { SOURCES } from "./shim/world.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** The local cloud's own. */
const PROJECT = "klipstream-local";
const SETTINGS = {
  GOOGLE_CLOUD_PROJECT: PROJECT,
  CONVEX_URL: "https://happy-otter-1.convex.cloud",
  CONVEX_DEPLOY_KEY: "prod:happy-otter-1|key",
  IMAGE: "example.com/klipstream/functions:1",
};
/** All but Convex, whose command line has nobody to speak to here. */
const PARTS = makePlan(readSettings(SETTINGS), SOURCES).parts.filter((part) => part !== "convex");

/** As gcloud shows a topic or a subscription. */
interface Listed {
  name: string;
}

describe.skipIf(!emulatorInstalled)("on Google's Pub/Sub emulator", () => {
  let folder = "";
  let emulator: Emulator;
  let pushPort = 0;
  let env: NodeJS.ProcessEnv = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "emulator-"));
    emulator = await startEmulator(PROJECT, folder);
    pushPort = await freePort();
    const state: State = {
      ...emptyState(),
      elsewhere: ["topic", "subscription"],
      serviceUrl: `http://127.0.0.1:${pushPort}/_functions/{function}`,
    };
    state.project.projectId = PROJECT;
    await writeFile(join(folder, "state.json"), JSON.stringify(state));
    env = {
      ...process.env,
      ...SETTINGS,
      PATH: [join(ROOT, "deploy/shim"), process.env["PATH"]].join(delimiter),
      SHIM_STATE: join(folder, "state.json"),
      SHIM_REAL: "pubsub",
      SHIM_GCLOUD: gcloud,
      // Each of its hundreds of commands is a process.
      NODE_COMPILE_CACHE: join(folder, "compiled"),
      CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB: `http://${emulator.address}/`,
      CLOUDSDK_AUTH_DISABLE_CREDENTIALS: "true",
    };
  });
  afterAll(async () => {
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** @returns what it printed. @throws {Error} with that, where it does not end well */
  const run = (
    { signal }: TestContext,
    script: string,
    args: readonly string[],
    more: NodeJS.ProcessEnv = {},
  ): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = { env: { ...env, ...more }, signal };
      const child = spawn(join(ROOT, "deploy", script), args, options);
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) resolve(output);
        else reject(new Error(`${script} ended with ${code}:\n${output}`));
      });
    });

  /** As the real gcloud shows what the emulator has. */
  const list = async (kind: "topics" | "subscriptions"): Promise<Listed[]> => {
    const args = ["pubsub", kind, "list", `--project=${PROJECT}`, "--format=json"];
    const { stdout } = await promisify(execFile)(gcloud ?? "", args, { env });
    const listed = JSON.parse(stdout) as Listed[];
    return listed.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  };

  it("deploy.sh makes topics and subscriptions", async (test) => {
    await run(test, "deploy.sh", ["--only", ...PARTS]);
    const names = (listed: Listed[]) => listed.map(({ name }) => name.split("/").at(-1));
    const pushed = CATALOG.flatMap(({ name, trigger }) =>
      trigger.kind === "topic" ? [{ topic: trigger.topic, subscription: `${name}-push` }] : [],
    );
    expect(names(await list("topics"))).toEqual(pushed.map(({ topic }) => topic).toSorted());
    const subscriptions = await list("subscriptions");
    expect(names(subscriptions)).toEqual(pushed.map((one) => one.subscription).toSorted());
    const media = `http://127.0.0.1:${pushPort}/_functions/media`;
    expect(subscriptions.find(({ name }) => name.endsWith("/media-push"))).toMatchObject({
      topic: `projects/${PROJECT}/topics/media`,
      ackDeadlineSeconds: 600,
      retryPolicy: { minimumBackoff: "10s", maximumBackoff: "600s" },
      deadLetterPolicy: {
        deadLetterTopic: `projects/${PROJECT}/topics/dead-letter`,
        maxDeliveryAttempts: 100,
      },
      pushConfig: {
        pushEndpoint: media,
        oidcToken: {
          serviceAccountEmail: `klipstream-push@${PROJECT}.iam.gserviceaccount.com`,
          audience: media,
        },
      },
    });
    // The stand-in has only who may use them.
    const { items, policies } = JSON.parse(
      await readFile(join(folder, "state.json"), "utf8"),
    ) as State;
    expect(Object.keys(items).filter((id) => /^(topic|subscription) /.test(id))).toEqual([]);
    expect(policies).toHaveProperty(["topic media"]);
    expect(policies).toHaveProperty(["subscription media-push"]);
  });

  it("the sample job runs through exactly these", async (test) => {
    const before = [await list("topics"), await list("subscriptions")];
    await using stack = new AsyncDisposableStack();
    const cloud = await startCloud({
      dataDir: join(folder, "data"),
      env: { PUBSUB_EMULATOR_HOST: emulator.address, PUBSUB_PUSH_PORT: String(pushPort) },
    });
    stack.defer(() => cloud.close());
    const { origin, apiKey } = cloud;
    const output = await run(test, "smoke.sh", ["--submit", origin, "--status", origin], {
      KLIPSTREAM_API_KEY: apiKey,
    });
    expect(output).toMatch(/\d\d outputs as they should be; \d moments found/);
    expect([await list("topics"), await list("subscriptions")]).toEqual(before);
  });

  it("a second deploy.sh has nothing to do", async (test) => {
    const output = await run(test, "deploy.sh", ["--only", ...PARTS]);
    expect(output).toContain("Everything is as it should be.");
  });

  it("destroy.sh leaves none", async (test) => {
    await run(test, "destroy.sh", ["--yes", "--data"]);
    expect(await list("subscriptions")).toEqual([]);
    expect(await list("topics")).toEqual([]);
  });
});

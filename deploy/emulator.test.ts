// Topics and subscriptions by the real gcloud, on Google's Pub/Sub emulator: what the real one answers
// is compared as it is with what was asked for. Policies, which the emulator refuses, are the stand-in's.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Emulator, emulatorInstalled, startEmulator } from "#local/pubsub/emulator.ts";
import { applyAll, createWorld, removeAll } from "./apply.ts";
import { type Json, differences, shortName } from "./json.ts";
import { makePlan } from "./plan.ts";
import { type Command, gcloud } from "./resource.ts";
import { readSettings } from "./settings.ts";
import { shimTools, withReal } from "./shim/inProcess.ts";
import { type State, emptyState } from "./shim/state.ts";
import { GIVEN, SMALL, SOURCES } from "./shim/world.ts";
import { type Tools, createTools, readJson } from "./tools.ts";

const PROJECT = "sample-project";

let emulator: Emulator;
let folder = "";
let real: Tools;
beforeAll(async () => {
  if (!emulatorInstalled) return;
  folder = mkdtempSync(join(tmpdir(), "emulator-"));
  emulator = await startEmulator(PROJECT, folder);
  real = createTools({
    ...process.env,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB: `http://${emulator.address}/`,
    CLOUDSDK_AUTH_DISABLE_CREDENTIALS: "true",
  });
});
afterAll(async () => {
  if (!emulatorInstalled) return;
  await emulator.stop();
  rmSync(folder, { recursive: true, force: true });
});

const isPubsub = ({ tool, args }: Command): boolean =>
  tool === "gcloud" && args[0] === "pubsub" && args[2]?.includes("iam-policy") !== true;

const turn = async (state: State, run: typeof applyAll): Promise<string[]> => {
  const { resources } = makePlan(readSettings(GIVEN), SOURCES, SMALL);
  const tools = withReal(shimTools(state), real, isPubsub);
  const world = createWorld(resources, tools, state.project.projectNumber);
  const changes: string[] = [];
  await run(resources, { tools, world, onChange: ({ resource }) => changes.push(resource.id) });
  return changes;
};

it.skipIf(!emulatorInstalled)("are made once, as they should be, and taken away", async () => {
  const list = async (): Promise<readonly Json[]> => {
    const answer = await readJson(
      real,
      gcloud("pubsub", "subscriptions", "list", `--project=${PROJECT}`, "--format=json"),
    );
    return Array.isArray(answer) ? answer : [];
  };
  const state: State = {
    ...emptyState(),
    elsewhere: ["topic", "subscription"],
    serviceUrl: "http://127.0.0.1:8080/_functions/{function}",
  };
  await turn(state, applyAll);
  const made = await list();
  expect(made.map(shortName).toSorted()).toEqual(["dead-letter-push", "transcribe-push"]);
  const url = "http://127.0.0.1:8080/_functions/transcribe";
  const wanted = {
    topic: `projects/${PROJECT}/topics/transcribe`,
    ackDeadlineSeconds: 600,
    retryPolicy: { minimumBackoff: "10s", maximumBackoff: "600s" },
    deadLetterPolicy: {
      deadLetterTopic: `projects/${PROJECT}/topics/dead-letter`,
      maxDeliveryAttempts: 100,
    },
    pushConfig: {
      pushEndpoint: url,
      oidcToken: {
        serviceAccountEmail: `klipstream-push@${PROJECT}.iam.gserviceaccount.com`,
        audience: url,
      },
    },
  };
  const transcribe = made.find((item) => shortName(item) === "transcribe-push");
  expect(differences(wanted, transcribe)).toEqual([]);
  expect(await turn(state, applyAll)).toEqual([]);
  await turn(state, removeAll);
  expect(await list()).toEqual([]);
});

// What tests deploy: settings in which everything is asked for, and a Google Cloud to put it on.
import { functionSpec } from "#functions/catalog.ts";
import { type Change, applyAll, createWorld, removeAll } from "../apply.ts";
import { type Release, makePlan } from "../plan.ts";
import { readSettings } from "../settings.ts";
import { type Recorded, shimTools } from "./inProcess.ts";
import type { State } from "./state.ts";

export const SOURCES = { image: "a1", database: "b1" };

export const GIVEN: Readonly<Record<string, string>> = {
  GOOGLE_CLOUD_PROJECT: "sample-project",
  CONVEX_URL: "https://happy-otter-1.convex.cloud",
  CONVEX_DEPLOY_KEY: "prod:happy-otter-1|key",
  SPEECH_PROVIDER: "google",
  OPENAI_API_KEY: "sk-1",
  DEEPGRAM_API_KEY: "dg-1",
  ALERT_EMAIL: "ops@example.com",
  STUDY_API_KEY: 'it\'s "a" key',
};

export interface Turn {
  tools: Recorded;
  changes: Change[];
}

export interface TurnOptions {
  given?: Readonly<Record<string, string>>;
  sources?: typeof SOURCES;
  release?: Release;
  /** Number of the change that fails. */
  failAt?: number;
}

/** Some functions of each kind, so that it is quick. */
export const SMALL: Release = {
  catalog: ["status", "transcribe", "dead-letter", "sweep"].map(functionSpec),
};

const turn = async (
  state: State,
  { given = GIVEN, sources = SOURCES, release = {}, failAt }: TurnOptions,
  run: typeof applyAll,
): Promise<Turn> => {
  const { resources } = makePlan(readSettings(given), sources, release);
  const tools = shimTools(state, failAt);
  const changes: Change[] = [];
  const world = createWorld(resources, tools, state.project.projectNumber);
  await run(resources, { tools, world, onChange: (change) => void changes.push(change) });
  return { tools, changes };
};

/** One run of deploy, without its checks. */
export const applyTo = (state: State, options: TurnOptions = {}): Promise<Turn> =>
  turn(state, options, applyAll);

/** One run of destroy, with its data. */
export const removeFrom = (state: State, options: TurnOptions = {}): Promise<Turn> =>
  turn(state, options, removeAll);

import { beforeEach, expect, it } from "vitest";
import { applyAll, createWorld, removeAll } from "./apply.ts";
import { makePlan } from "./plan.ts";
import { readSettings } from "./settings.ts";
import { type State, emptyState } from "./shim/state.ts";
import { shimTools } from "./shim/inProcess.ts";

const GIVEN = {
  GOOGLE_CLOUD_PROJECT: "sample-project",
  CONVEX_URL: "https://happy-otter-1.convex.cloud",
  CONVEX_DEPLOY_KEY: "prod:happy-otter-1|key",
  OPENAI_API_KEY: "sk-1",
  ALERT_EMAIL: "ops@example.com",
};

const SOURCES = { image: "a1", database: "b1" };

const apply = async (state: State, given: Record<string, string> = GIVEN, failAt?: number) => {
  const { resources } = makePlan(readSettings(given), SOURCES);
  const tools = shimTools(state, failAt);
  const world = createWorld(resources, tools, state.project.projectNumber);
  const changed = await applyAll(resources, { tools, world, onChange: () => undefined });
  return { changed, tools };
};

let state: State;
beforeEach(() => {
  state = emptyState();
});

it("first run creates, second changes nothing", async () => {
  await apply(state);
  const made = structuredClone(state);
  const { changed, tools } = await apply(state);
  expect(changed).toBe(0);
  expect(tools.mutations).toEqual([]);
  expect(state).toEqual(made);
});

it("destroy leaves none", async () => {
  await apply(state);
  const { resources } = makePlan(readSettings(GIVEN), SOURCES);
  const tools = shimTools(state);
  const world = createWorld(resources, tools, state.project.projectNumber);
  await removeAll(resources, { tools, world, onChange: () => undefined });
  expect(state.items).toEqual({});
});

// A project that is granted as little as new ones are.
import { expect, it } from "vitest";
import { CATALOG, functionSpec } from "#functions/catalog.ts";
import { NotAllDone } from "./apply.ts";
import { quotaAdvice, withinQuota } from "./sizes.ts";
import { readSettings } from "./settings.ts";
import { emptyState } from "./shim/state.ts";
import { GIVEN, applyTo } from "./shim/world.ts";

const SMALL_PROJECT = { ...GIVEN, CLOUD_RUN_VCPU: "20", MAX_RUNNING_JOBS: "2" };
const release = { catalog: ["media", "status", "dead-letter", "sweep"].map(functionSpec) };

const problemsOf = (given: typeof GIVEN): string => {
  try {
    readSettings(given);
    return "";
  } catch (error) {
    return String(error);
  }
};

it("is refused the catalog's instances, and says what to set; then gets what it is granted", async () => {
  const state = { ...emptyState(), vcpu: 20 };
  const refused = applyTo(state, { release });
  await expect(refused).rejects.toThrow(NotAllDone);
  const message = await refused.catch(String);
  expect(quotaAdvice(message as string)).toContain("CLOUD_RUN_VCPU");
  await applyTo(state, { release, given: SMALL_PROJECT });
  expect(state.items["service klipstream-media"]).toMatchObject({
    spec: {
      template: { metadata: { annotations: { "autoscaling.knative.dev/maxScale": "10" } } },
    },
  });
});

it.each([
  [undefined, 100],
  [1000, 100],
  [20, 10],
  [8, 4],
])("with %s processors, media has %s instances", (vcpu, expected) => {
  expect(withinQuota(functionSpec("media"), vcpu).maxInstances).toBe(expected);
});

it("is held by memory where that is shorter", () => {
  const spec = { ...functionSpec("media"), cpu: 1, memoryMiB: 4096 };
  expect(withinQuota(spec, 20).maxInstances).toBe(10);
});

it("leaves every function an instance with the least there may be", () => {
  for (const spec of CATALOG) expect(withinQuota(spec, 8).maxInstances).toBeGreaterThan(0);
  expect(problemsOf({ ...SMALL_PROJECT, CLOUD_RUN_VCPU: "4" })).toContain("CLOUD_RUN_VCPU");
});

it("admits no more jobs than so few instances keep up with", () => {
  expect(problemsOf(SMALL_PROJECT)).toBe("");
  expect(problemsOf({ ...SMALL_PROJECT, MAX_RUNNING_JOBS: "20" })).toContain(
    "MAX_RUNNING_JOBS 20 is too many",
  );
});

it("says nothing of quota where something else is wrong", () => {
  expect(quotaAdvice("PERMISSION_DENIED")).toBeUndefined();
});

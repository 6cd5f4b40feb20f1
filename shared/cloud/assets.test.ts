import { getFunctionName } from "convex/server";
import { expect, it } from "vitest";
import type { JobObjects } from "../assets/jobObjects.ts";
import type { StoredObject } from "../contract/assets.ts";
import { StageError } from "../contract/errors.ts";
import { createLog } from "../pipeline/log.ts";
import { createAssetRecorder } from "./assets.ts";
import type { ConvexCalls } from "./convexCalls.ts";

const object = (name: string): StoredObject => ({
  bucket: "b",
  key: `jobs/j/${name}`,
  sizeBytes: 1,
  sha256: "ab".repeat(32),
  contentType: "video/mp4",
});
const FACTS = { startSec: 1, endSec: 9, title: "A goal", rank: 1, score: 2 };
const objects = (outputs: number): JobObjects => ({
  scenes: [
    {
      index: 0,
      assets: {
        videoAsset: object("clips/01.mp4"),
        sourceCodeAsset: object("clips/01.recipe.json"),
        thumbnailAsset: object("clips/01.jpg"),
      },
    },
  ],
  session: { manifestAsset: object("manifest.json") },
  outputs: Array.from({ length: outputs }, (_, i) => ({ name: `${i}`, object: object(`${i}`) })),
});

const setUp = ({ testMode = false, opened = true } = {}) => {
  const calls: string[] = [];
  let isOpen = opened;
  const mutation = async (reference: unknown, { outputs }: { outputs?: unknown[] }) => {
    const name = getFunctionName(reference as Parameters<typeof getFunctionName>[0]);
    calls.push(outputs ? `${name} ${outputs.length}` : name);
    if (name === "assets:openScene") isOpen = true;
    if (name === "assets:sceneReady" && !isOpen) throw new StageError("not_found");
    return "recorded";
  };
  const lines: string[] = [];
  const recorder = createAssetRecorder({ mutation } as unknown as ConvexCalls, {
    testMode,
    log: createLog({}, (line) => lines.push(line)),
  });
  return { calls, lines, recorder };
};

it("says scenes, outputs by the hundred, and the session last with all their names", async () => {
  const { calls, recorder } = setUp();
  await recorder.jobReady("j", [FACTS], objects(201));
  expect(calls).toEqual([
    "assets:sceneReady",
    "assets:recordOutputs 100",
    "assets:recordOutputs 100",
    "assets:recordOutputs 1",
    "assets:sessionReady 201",
  ]);
});

it("opens a scene that a job of an earlier version never had", async () => {
  const { calls, recorder } = setUp({ opened: false });
  await recorder.jobReady("j", [FACTS], objects(0));
  expect(calls).toEqual([
    "assets:sceneReady",
    "assets:openScene",
    "assets:sceneReady",
    "assets:sessionReady 0",
  ]);
});

it("in test mode says what it would record, and sends nothing", async () => {
  const { calls, lines, recorder } = setUp({ testMode: true });
  await recorder.openScenes("j", [FACTS]);
  await recorder.beginUpload("j", 0);
  await recorder.jobReady("j", [FACTS], objects(3));
  expect([calls, lines.length]).toEqual([[], 3]);
});

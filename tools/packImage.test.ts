import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { functionSpec } from "#functions/catalog.ts";
import { readDockerfile } from "./dockerfile.ts";
import { packImage } from "./packImage.ts";
import { firstRequest, timeStart } from "./startUp.ts";

describe("the folder that the image gets", () => {
  // Where no package of the project is found by chance.
  const folder = mkdtempSync(join(tmpdir(), "pack-"));
  let source: string;
  beforeAll(async () => {
    source = await packImage(join(folder, "app"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const has = (pattern: string): boolean =>
    globSync(pattern, { cwd: join(folder, "app") }).length > 0;

  it.each(["submit", "media"])("is all that %s needs to answer", async (name) => {
    const [, framework] = readDockerfile().command;
    const { tookMs } = await timeStart({
      command: [process.execPath, join(folder, "app", framework)],
      env: { FUNCTION_TARGET: name, FUNCTION_SOURCE: source },
      request: firstRequest(functionSpec(name)),
    });
    expect(tookMs).toBeGreaterThan(0);
  });

  it("has the process of a Cloud Run job, where its description says", () => {
    const { stdout, status } = spawnSync(process.execPath, ["functions/job.mjs"], {
      cwd: join(folder, "app"),
      encoding: "utf8",
      env: {
        FUNCTION_TARGET: "media",
        GOOGLE_CLOUD_PROJECT: "project",
        BUCKET: "bucket",
        CONVEX_URL: "http://127.0.0.1:1",
        HANDED_OVER_TASK: JSON.stringify({
          v: 1,
          jobId: "j",
          stage: "clips",
          index: 0,
          attempt: 1,
        }),
      },
    });
    expect(stdout).toContain("This is the job of media, and the task is of clips.");
    expect(status).toBe(1);
  });

  it("has Google's clients, which are loaded late, and neither an ffmpeg nor what is in the bundle", () => {
    expect(has("node_modules/@google-cloud/storage/package.json")).toBe(true);
    expect(has("node_modules/google-gax/package.json")).toBe(true);
    expect(has("node_modules/@ffmpeg-binary")).toBe(false);
    expect(has("node_modules/convex")).toBe(false);
    expect(has("node_modules/**/*.d.ts")).toBe(false);
  });
});

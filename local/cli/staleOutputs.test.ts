// What is deleted of an earlier job's outputs, and what is left alone.
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AnalysisOptions } from "#shared/contract/options.ts";
import { removeStaleOutputs } from "./staleOutputs.ts";

let root: string;
let out: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "stale-"));
  out = join(root, "out");
  await mkdir(join(out, "clips"), { recursive: true });
  for (const name of ["chat.json", "notes.md", "clips/01.mp4"])
    await writeFile(join(out, name), "");
  await writeFile(join(root, "outside"), "");
});
afterEach(() => rm(root, { recursive: true }));

const manifest = (names: string[]) => ({
  version: 1,
  job_id: "j",
  status: "Completed",
  source: { url: "u", provider: "url", title: null, channel: null },
  options: AnalysisOptions.parse({}),
  duration_sec: 1,
  outputs: names.map((name) => ({
    name,
    content_type: "x/y",
    size_bytes: 0,
    sha256: "",
    object: name,
  })),
  highlights: [],
  warnings: [],
  versions: {},
  timings: {
    started_at: "2026-01-01T00:00:00.000Z",
    finished_at: "2026-01-01T00:00:01.000Z",
    total_sec: 1,
  },
});

it("removes what only the earlier job had, and nothing of anybody else's", async () => {
  const earlier = manifest(["chat.json", "clips/01.mp4", "../outside"]);
  await writeFile(join(out, "manifest.json"), JSON.stringify(earlier));
  await removeStaleOutputs(out, ["chat.json", "manifest.json"]);
  expect((await readdir(out)).toSorted()).toEqual([
    "chat.json",
    "clips",
    "manifest.json",
    "notes.md",
  ]);
  expect(await readdir(join(out, "clips"))).toEqual([]);
  expect(await readdir(root)).toContain("outside");
});

it("leaves a folder alone whose manifest is not ours", async () => {
  await writeFile(join(out, "manifest.json"), '{"outputs": [{"name": "chat.json"}]}');
  await removeStaleOutputs(out, []);
  expect(await readdir(out)).toContain("chat.json");
});

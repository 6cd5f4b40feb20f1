// docs/operations.md is held against what it is about: every alert has its section, under the name that the
// mail has, and the tables of costs are what `npm run cost` prints. (Its commands: commands.slow.test.ts.)
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { STAGES } from "#shared/contract/stages.ts";
import { costOf, costTable } from "./cost.ts";
import { textAt } from "./json.ts";
import type { Json } from "./json.ts";
import { gcloudCommandsIn } from "./pageCommands.ts";
import { makePlan } from "./plan.ts";
import { readSettings } from "./settings.ts";
import { GIVEN, SOURCES } from "./shim/world.ts";

const PAGE = readFileSync(new URL("../docs/operations.md", import.meta.url), "utf8");

const policies = (): Json[] =>
  makePlan(readSettings(GIVEN), SOURCES)
    .resources.filter(({ kind }) => kind === "alert")
    .flatMap((resource) => resource.create({ projectNumber: "1", of: () => undefined }))
    .flatMap(({ files = {} }) => Object.values(files))
    .map((text) => JSON.parse(text) as Json);

it("says of every alert what to do, and of none that there is not", () => {
  const sections = [...PAGE.matchAll(/^### (KlipStream: .*)$/gm)].map(([, name = ""]) => name);
  expect(new Set(sections)).toEqual(new Set(policies().map((one) => textAt(one, "displayName"))));
  expect(sections.length).toBeGreaterThan(5);
});

it("tells of a failed execution of any stage's job", () => {
  const policy = JSON.stringify(
    policies().find((one) => textAt(one, "userLabels", "alert") === "job-executions"),
  );
  for (const stage of STAGES) expect(policy).toContain(`\\"klipstream-${stage}\\"`);
});

it("shows what a video costs as the command does", () => {
  for (const hours of [1, 6])
    expect(PAGE).toContain(costTable({ hours, speech: "openai", watchers: 1 }));
});

it("finds the commands of a page, those over several lines and in the text too", () => {
  const page =
    "See `gcloud a b $X`.\n\n```sh\nnode x\ngcloud c \\\n  --d=$(date +%F) | sort\n```\n\n1. Then\n\n   ```sh\n   gcloud e gs://$B/f\n   ```\n";
  expect(gcloudCommandsIn(page)).toEqual([
    "gcloud c --d=x",
    "gcloud e gs://sample/f",
    "gcloud a b sample",
  ]);
});

it("reckons more for a longer video, in the stages that are as long as it", () => {
  const of = (hours: number, speech: "openai" | "captions") =>
    costOf({ hours, speech, watchers: 0 });
  const row = (hours: number, name: string) =>
    of(hours, "openai").rows.find((one) => one.name === name)?.totalUsd ?? Number.NaN;
  expect(row(6, "media") / row(1, "media")).toBeCloseTo(6, 0);
  expect(row(6, "clips")).toBe(row(1, "clips"));
  expect(of(1, "openai").speechUsd).toBeCloseTo(0.36);
  expect(of(1, "captions").rows.map(({ name }) => name)).not.toContain("transcribe");
  const transcribing = (speech: "openai" | "whisper") =>
    costOf({ hours: 1, speech, watchers: 0 }).rows.find(({ name }) => name === "transcribe");
  const perSec = (row = transcribing("openai")) => (row?.cloudRunUsd ?? 0) / (row?.billedSec ?? 0);
  expect(perSec(transcribing("whisper")) / perSec()).toBeCloseTo(4, 1);
  expect(() => of(0, "openai")).toThrow(RangeError);
});

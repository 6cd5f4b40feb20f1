// Every command that the scripts can issue and that the pages tell people to give, put to the real gcloud,
// which knows its flags offline.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { checkMachine, checkProject } from "./checks.ts";
import type { Json } from "./json.ts";
import { gcloudCommandsIn } from "./pageCommands.ts";
import { makePlan } from "./plan.ts";
import { type Command, type Known, gcloud } from "./resource.ts";
import { readSettings } from "./settings.ts";
import { shimTools } from "./shim/inProcess.ts";
import { emptyState } from "./shim/state.ts";
import { GIVEN, SOURCES, applyTo, removeFrom } from "./shim/world.ts";
import { commandLine } from "./tools.ts";

const Verdicts = z.array(
  z.object({
    command_string: z.string(),
    success: z.boolean(),
    error_message: z.string().nullable(),
  }),
);

/** Something of every kind, as far as names are read from it. */
const ANYTHING: Json = {
  name: "projects/1/things/2",
  uniqueId: "3",
  status: { url: "https://thing.example.com" },
  bindings: [{ role: "roles/run.invoker", members: ["allUsers"] }],
};
const KNOWN: Known = { projectNumber: "123456789012", of: () => ANYTHING };

/** What each resource would ever say, and what both scripts said to make and remove all. */
const everyCommand = async (): Promise<Command[]> => {
  const settings = readSettings(GIVEN);
  const shares = ["a", "b"].map((revisionName) => ({ revisionName, percent: 50 }));
  const restore = { "klipstream-media": shares };
  const plans = [{}, { tag: "c1" }, { traffic: "c1" }, { restore }].map((release) =>
    makePlan(settings, SOURCES, release),
  );
  const said = plans.flatMap(({ resources, kinds }) => [
    ...kinds.flatMap(({ list, remove }) => [list, ...remove("left")]),
    ...resources.flatMap((resource) => [
      resource.read,
      ...resource.create(KNOWN),
      ...resource.update(ANYTHING, KNOWN),
      ...resource.remove(ANYTHING, KNOWN),
    ]),
  ]);
  const state = emptyState();
  const made = await applyTo(state);
  const removed = await removeFrom(state);
  const checks = shimTools(state);
  await checkMachine(checks, ".");
  await checkProject("sample-project", checks);
  await checks
    .run(gcloud("storage", "buckets", "describe", "gs://b", "--format=json"))
    .catch(() => "");
  return [...said, ...made.tools.commands, ...removed.tools.commands, ...checks.commands];
};

/** Commands that have the same words and flags are the same to the linter. */
const shapeOf = ({ args }: Command): string =>
  args.map((arg) => arg.replace(/=.*$/s, "").replace(/^[^-].*[\W\d].*$/s, "X")).join(" ");

const lint = (lines: readonly string[]): z.infer<typeof Verdicts> => {
  const folder = mkdtempSync(join(tmpdir(), "lint-"));
  try {
    const file = join(folder, "commands.json");
    writeFileSync(file, JSON.stringify(lines.map((line) => ({ command_string: line }))));
    const { stdout, stderr, status } = spawnSync(
      "gcloud",
      ["meta", "lint-gcloud-commands", `--commands-file=${file}`],
      { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
    );
    expect(status, stderr).toBe(0);
    return Verdicts.parse(JSON.parse(stdout));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const isThere = spawnSync("gcloud", ["--version"]).error === undefined;

it.skipIf(!isThere)(
  "the real gcloud knows every command and flag, and no misspelt one",
  async () => {
    const shapes = new Map<string, string>();
    for (const command of await everyCommand()) {
      const { tool, args } = command;
      if (tool === "gcloud") shapes.set(shapeOf(command), commandLine({ tool, args }));
    }
    expect(shapes.size).toBeGreaterThan(60);
    const page = readFileSync(new URL("../docs/operations.md", import.meta.url), "utf8");
    const told = [...new Set(gcloudCommandsIn(page))];
    expect(told.length).toBeGreaterThan(30);
    const misspelt = "gcloud pubsub topics create media --lables=app=klipstream";
    const verdicts = lint([...shapes.values(), ...told, misspelt]);
    expect(verdicts).toHaveLength(shapes.size + told.length + 1);
    const refused = verdicts.filter(({ success }) => !success);
    expect(refused.map((one) => one.command_string)).toEqual([misspelt]);
  },
  180_000,
);

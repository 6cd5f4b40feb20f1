// The scripts as people call them: what they say, and that a dry run changes nothing. Some runs are
// of the real scripts, with the stand-in first on PATH.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deploy } from "./deploy.ts";
import { destroy } from "./destroy.ts";
import { gcloud } from "./resource.ts";
import type { Machine } from "./session.ts";
import { type Recorded, shimTools } from "./shim/inProcess.ts";
import { type State, emptyState } from "./shim/state.ts";
import { GIVEN } from "./shim/world.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

let folder = "";
let state: State;
let printed = "";
let complained = "";
let tools: Recorded;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "scripts-"));
  state = emptyState();
  printed = "";
  complained = "";
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const machine = (env: NodeJS.ProcessEnv = GIVEN): Machine => ({
  env,
  folder,
  tools: () => (tools = shimTools(state)),
  print: (text) => void (printed += text),
  complain: (text) => void (complained += text),
});

describe("deploy", () => {
  it("makes everything, says where it answers, and the second time that all is well", async () => {
    expect(await deploy([], machine()), complained).toBe(0);
    expect(printed).toContain("https://klipstream-submit-123456789012.us-central1.run.app/v1/");
    expect(printed).toContain("POST /v1/analysis");
    printed = "";
    expect(await deploy([], machine())).toBe(0);
    expect(printed).toContain("Everything is as it should be.");
    expect(tools.mutations).toEqual([]);
  });

  it("says all that is missing at once, and does nothing", async () => {
    state.project.billing = false;
    state.apis = ["pubsub.googleapis.com"];
    state.project.account = "";
    expect(await deploy([], machine({ REGION: "x" }))).toBe(1);
    for (const missing of ["GOOGLE_CLOUD_PROJECT", "CONVEX_URL", "REGION", "gcloud auth login"]) {
      expect(complained).toContain(missing);
    }
    expect(tools.mutations).toEqual([]);
  });

  it("says what is wrong with the project, and which names others have", async () => {
    state.project.billing = false;
    expect(await deploy([], machine())).toBe(1);
    expect(complained).toContain("no billing account");
    complained = "";
    state.project.billing = true;
    state.apis = ["pubsub.googleapis.com", "run.googleapis.com"];
    for (const name of ["media", "chat"]) {
      state.items[`topic ${name}`] = { name: `projects/sample-project/topics/${name}` };
    }
    expect(await deploy([], machine())).toBe(1);
    expect(complained).toMatch(/topic media is there already[\s\S]*topic chat is there already/);
    expect(complained).toContain("KlipStream wants a project in which nothing else has them");
    expect(tools.mutations).toEqual([]);
  });

  it("a dry run prints descriptions and commands, changes nothing and shows no key", async () => {
    const before = structuredClone(state);
    const lines = { ...GIVEN, STUDY_API_KEY: `${GIVEN["STUDY_API_KEY"]}\nin two lines` };
    expect(await deploy(["--dry-run"], machine(lines))).toBe(0);
    expect(state).toEqual(before);
    expect(printed).toContain('kind: "Service"');
    expect(printed).toContain("gcloud pubsub subscriptions create media-push --topic=media");
    expect(printed).toMatch(/convex env set --force < \(.*\bSTUDY_API_KEY\b.*\)/);
    for (const secret of ["sk-1", "dg-1", "it's", "two lines", "prod:happy"]) {
      expect(printed).not.toContain(secret);
    }
  });

  it("--only does what it names, after what is there", async () => {
    await deploy([], machine());
    delete state.items["topic chat"];
    delete state.items["topic media"];
    expect(await deploy(["--only", "media", "clips"], machine()), complained).toBe(0);
    expect(state.items).toHaveProperty("topic media");
    expect(state.items).not.toHaveProperty("topic chat");
  });

  it.each([
    [["--only", "medai"], /there are .*media/],
    [["media"], /not understood/],
    [["--frobnicate"], /frobnicate/],
    [["--tag", "1x"], /a letter first/],
    [["--tag", "a", "--traffic", "b"], /steps of their own/],
    [["--tag", "a", "--save", "f"], /goes with --traffic/],
    [["--traffic", "a", "--save", "package.json"], /there already/],
    [["--restore", "package.json"], /not what --save writes/],
    [["--restore", "none.json"], /not what --save writes/],
    [["--offline"], /goes with --dry-run/],
  ])("refuses %j", async (argv, message) => {
    expect(await deploy(argv, machine())).toBe(2);
    expect(complained).toMatch(message);
  });

  it("leads the traffic back to what had it, as it was shared, and leaves what is new", async () => {
    const env = (tag: string) => ({ ...GIVEN, IMAGE: `example.com/functions:${tag}` });
    const trafficOf = (name: string): unknown =>
      (state.items[`service klipstream-${name}`] as { status: { traffic: unknown } }).status
        .traffic;
    const file = join(folder, "traffic.json");
    await deploy([], machine(env("first")));
    const [was] = trafficOf("media") as [{ revisionName: string }];
    await deploy(["--tag", "c2"], machine(env("c2")));
    const shared = ["media-c2=10", "media-00001-abc=90"].map((share) => `klipstream-${share}`);
    await tools.run(
      gcloud(
        "run",
        "services",
        "update-traffic",
        "klipstream-media",
        `--to-revisions=${shared.join(",")}`,
        "--region=us-central1",
        "--project=sample-project",
      ),
    );
    delete state.items["service klipstream-chat"];
    await deploy(["--only", "chat", "--tag", "c2"], machine(env("c2")));

    expect(await deploy(["--traffic", "c2", "--save", file], machine()), complained).toBe(0);
    const all = [{ percent: 100, revisionName: "klipstream-media-c2" }];
    expect(trafficOf("media")).toMatchObject(all);
    expect(await deploy(["--restore", file], machine()), complained).toBe(0);
    expect(trafficOf("media")).toMatchObject([
      { revisionName: was.revisionName, percent: 90 },
      { revisionName: "klipstream-media-c2", percent: 10 },
    ]);
    expect(trafficOf("clips")).toMatchObject([{ revisionName: "klipstream-clips-00001-abc" }]);
    expect(trafficOf("chat")).toMatchObject([{ revisionName: "klipstream-chat-c2" }]);
    expect(await deploy(["--restore", file], machine())).toBe(0);
    expect(tools.mutations).toEqual([]);
  });

  it("tells what is left of an earlier catalog", async () => {
    await deploy([], machine());
    state.items["topic old"] = {
      name: "projects/sample-project/topics/old",
      labels: { app: "klipstream" },
    };
    await deploy([], machine());
    expect(printed).toContain("topic old is no longer wanted");
    expect(printed).toContain("gcloud pubsub topics delete old");
  });
});

describe("destroy", () => {
  beforeEach(async () => {
    await deploy([], machine());
    state.items["topic old"] = {
      name: "projects/sample-project/topics/old",
      labels: { app: "klipstream" },
    };
    state.items["topic theirs"] = { name: "projects/sample-project/topics/theirs" };
    printed = "";
  });

  it("shows first, and does nothing that is not confirmed", async () => {
    const before = structuredClone(state);
    expect(await destroy([], machine())).toBe(2);
    expect(await destroy(["--dry-run"], machine())).toBe(0);
    expect(printed).toContain("remove  service klipstream-media");
    expect(state).toEqual(before);
  });

  it("keeps data and what is others', and takes the rest", async () => {
    expect(await destroy(["--yes"], machine()), complained).toBe(0);
    expect(Object.keys(state.items)).toEqual(["bucket sample-project-klipstream", "topic theirs"]);
    // Nobody may do anything any more with what stays.
    expect(state.policies).toEqual({});
    expect(printed).toContain("--data removes it");
    expect(tools.commands.filter(({ tool }) => tool === "convex")).toEqual([]);
  });

  it("--data takes the bucket as well; then there is nothing to remove", async () => {
    expect(await destroy(["--yes", "--data"], machine())).toBe(0);
    expect(Object.keys(state.items)).toEqual(["topic theirs"]);
    printed = "";
    expect(await destroy(["--yes", "--data"], machine())).toBe(0);
    expect(printed).toContain("There is nothing to remove.");
  });
});

describe("the scripts", () => {
  const env = (): NodeJS.ProcessEnv => ({
    ...process.env,
    ...GIVEN,
    PATH: `${join(ROOT, "deploy/shim")}:${process.env["PATH"]}`,
    SHIM_STATE: join(folder, "state.json"),
    SHIM_LOG: join(folder, "log"),
    // One secret will do: each command is a process.
    DEEPGRAM_API_KEY: "",
  });

  const run = (script: string, args: string[]): Promise<{ code: number | null; output: string }> =>
    new Promise((resolve, reject) => {
      const child = spawn(join(ROOT, "deploy", script), args, { env: env() });
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, output }));
    });

  it("run gcloud as it is on PATH, with secrets on its standard input", async () => {
    state.apis = ["iam.googleapis.com", "secretmanager.googleapis.com"];
    for (const account of ["api", "worker"]) {
      const email = `klipstream-${account}@sample-project.iam.gserviceaccount.com`;
      state.items[`account ${email}`] = { email };
    }
    writeFileSync(join(folder, "state.json"), JSON.stringify(state));
    const made = await run("deploy.sh", ["--only", "secrets"]);
    expect(made, made.output).toMatchObject({ code: 0 });
    const then = JSON.parse(readFileSync(join(folder, "state.json"), "utf8")) as State;
    expect(then.items["secret klipstream-openai-api-key"]).toMatchObject({ versions: ["sk-1"] });
    const commands = readFileSync(join(folder, "log"), "utf8");
    expect(commands).toContain("--data-file=-");
    expect(commands).not.toContain("sk-1");
  });

  it.each(["deploy.sh", "destroy.sh", "smoke.sh"])("%s tells how it is used", async (script) => {
    const { code, output } = await run(script, ["--help"]);
    expect(code).toBe(0);
    expect(output).toContain(`Usage: deploy/${script}`);
  });

  const scripts = readdirSync(join(ROOT, "deploy")).filter((name) => name.endsWith(".sh"));
  const hasShellcheck = spawnSync("shellcheck", ["--version"]).error === undefined;

  it.skipIf(!hasShellcheck)("are clean to shellcheck", () => {
    expect(scripts).toEqual(["deploy.sh", "destroy.sh", "smoke.sh"]);
    const files = [...scripts.map((name) => `deploy/${name}`), "deploy/shim/gcloud"];
    const { stdout, status } = spawnSync("shellcheck", files, { cwd: ROOT, encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });

  it("are short: what compares is data", () => {
    for (const name of scripts) {
      expect(readFileSync(join(ROOT, "deploy", name), "utf8").split("\n").length).toBeLessThan(40);
    }
  });
});

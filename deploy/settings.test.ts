import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseEnvFile } from "./envFile.ts";
import { BadSettings, DEPLOY_VARIABLES, gather, readSettings } from "./settings.ts";
import { GIVEN } from "./shim/world.ts";

const problemsOf = (given: Readonly<Record<string, string>>): readonly string[] => {
  try {
    readSettings(given);
    return [];
  } catch (error) {
    if (!(error instanceof BadSettings)) throw error;
    return error.problems;
  }
};

it("says everything that is missing at once", () => {
  expect(problemsOf({}).map((line) => line.split(" ")[0])).toEqual([
    "GOOGLE_CLOUD_PROJECT",
    "CONVEX_URL",
    "CONVEX_DEPLOY_KEY",
  ]);
});

it("says everything that is wrong at once, of functions and database as well", () => {
  const wrong = {
    GOOGLE_CLOUD_PROJECT: "Not A Project",
    REGION: "Europe",
    BUCKET: "UPPER",
    CONVEX_URL: "http://example.com",
    CONVEX_DEPLOY_KEY: "prod:a|b",
    WEB_ORIGINS: "https://example.com/page",
    ALERT_EMAIL: "nobody",
    IMAGE: "latest",
    SPEECH_PROVIDER: "siri",
    CHAT_PARALLEL: "1000",
    MAX_RUNNING_JOBS: "-1",
  };
  const names = problemsOf(wrong).map((line) => line.split(/[ :]/)[0] ?? "");
  expect(names.toSorted()).toEqual(
    Object.keys(wrong)
      .filter((name) => name !== "CONVEX_DEPLOY_KEY")
      .toSorted(),
  );
});

it("knows whether jobs may ask for whisper, and wants a model where all of them do", () => {
  const whisper = { ...GIVEN, SPEECH_PROVIDER: "whisper" };
  expect(problemsOf(whisper)).toEqual([expect.stringMatching(/^WHISPER_MODEL is missing/)]);
  expect(problemsOf({ ...whisper, WHISPER_MODEL: "/models/base.bin" })).toEqual([]);
  expect(readSettings(GIVEN).hasWhisper).toBe(false);
  // Any job may ask for it, whatever the default is.
  expect(readSettings({ ...GIVEN, WHISPER_MODEL: "/models/base.bin" }).hasWhisper).toBe(true);
});

it.each([
  ["all kinds of quotes", `'"\``],
  ["a backslash at its end", "a\\"],
  ["a carriage return", "a\rb"],
])("refuses what Convex would read otherwise: %s", (_what, STUDY_API_KEY) => {
  expect(problemsOf({ ...GIVEN, STUDY_API_KEY })).toEqual([
    expect.stringMatching(/^STUDY_API_KEY must not hold/),
  ]);
});

it("takes two kinds of quotes, and lines", () => {
  expect(problemsOf({ ...GIVEN, STUDY_API_KEY: `it's "a"\nkey # \\n` })).toEqual([]);
});

it("knows a key of another deployment", () => {
  expect(problemsOf({ ...GIVEN, CONVEX_DEPLOY_KEY: "prod:other-1|key" })).toEqual([
    "CONVEX_DEPLOY_KEY is the key of other-1, and CONVEX_URL is happy-otter-1",
  ]);
});

it("takes the key of a deployment of one's own", () => {
  const { CONVEX_DEPLOY_KEY: _, ...rest } = GIVEN;
  const own = {
    CONVEX_SELF_HOSTED_URL: "https://convex.example.com",
    CONVEX_SELF_HOSTED_ADMIN_KEY: "key",
  };
  const settings = readSettings({ ...rest, ...own, CONVEX_URL: "https://convex.example.com" });
  expect(settings.convexAccess).toEqual(own);
});

it("gives keys to nobody but Secret Manager and the database", () => {
  const settings = readSettings(GIVEN);
  expect(settings.secrets).toEqual({ OPENAI_API_KEY: "sk-1", DEEPGRAM_API_KEY: "dg-1" });
  expect(Object.keys(settings.functionVariables)).toEqual(["SPEECH_PROVIDER"]);
});

it("refuses more jobs at once than the instances keep up with", () => {
  expect(problemsOf({ ...GIVEN, MAX_RUNNING_JOBS: "20" })).toEqual([]);
  expect(problemsOf({ ...GIVEN, MAX_RUNNING_JOBS: "2000" })).toEqual([
    expect.stringMatching(/^MAX_RUNNING_JOBS 2000 is too many: .*media/),
  ]);
});

describe("files", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "settings-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

  it("flags come before the environment, that before .env, that before .env.yaml", () => {
    write(".env.yaml", "REGION: a-b1\nBUCKET: from-yaml\nALERT_EMAIL: y@example.com\n");
    write(".env", "REGION=a-b2\nBUCKET='from-env'\n");
    const env = { REGION: "a-b3", HOME: "/root", BUCKET: undefined };
    expect(gather({ REGION: "a-b4" }, env, folder)).toEqual({
      REGION: "a-b4",
      BUCKET: "from-env",
      ALERT_EMAIL: "y@example.com",
    });
  });

  it("both files say the same", () => {
    write(
      ".env.yaml",
      `# settings\nCHAT_PARALLEL: 8\nCONVEX_TEST_MODE: false\nUSERS_JWKS: '{"keys": []}'\nBUCKET: # none\n`,
    );
    const yaml = gather({}, {}, folder);
    rmSync(join(folder, ".env.yaml"));
    write(".env", `CHAT_PARALLEL=8\nCONVEX_TEST_MODE=false\nUSERS_JWKS='{"keys": []}'\nBUCKET=\n`);
    expect(yaml).toEqual(gather({}, {}, folder));
  });

  it.each([
    ["a list", "- a\n- b\n", /\.env\.yaml: write NAME: value/],
    ["a mapping in a mapping", "A:\n  B: c\n", /\.env\.yaml: write NAME: value.*A/],
    ["a name twice", "A: b\nA: c\n", /unique/],
    ["no YAML", "A: [b\n", /\.env\.yaml: /],
  ])("refuses %s", (_what, text, message) => {
    write(".env.yaml", text);
    expect(() => gather({}, {}, folder)).toThrow(message);
  });
});

describe("the examples", () => {
  const read = (name: string): string =>
    readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
  /** With what is commented out. */
  const valuesOf = (name: string): Record<string, string> =>
    parseEnvFile(name.replace(".example", ""), read(name).replaceAll(/^#(?=[A-Z_]+[:=])/gm, ""));

  it("say the same", () => {
    expect(valuesOf(".env.yaml.example")).toEqual(valuesOf(".env.example"));
  });

  it("tell all that decides where things are deployed", () => {
    expect(Object.keys(valuesOf(".env.example"))).toEqual(expect.arrayContaining(DEPLOY_VARIABLES));
  });
});

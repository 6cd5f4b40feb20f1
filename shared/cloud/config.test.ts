import { expect, it } from "vitest";
import { loadConfig } from "./config.ts";

const GOOD = {
  GOOGLE_CLOUD_PROJECT: "project",
  BUCKET: "bucket",
  CONVEX_URL: "https://a.convex.cloud",
};

it("has a default for everything that need not be said", () => {
  expect(loadConfig(GOOD)).toMatchObject({
    rangeSec: 300,
    speech: { provider: "captions" },
    oidc: { issuers: [] },
  });
});

it("takes a variable that is set to nothing for one that is not set", () => {
  expect(loadConfig({ ...GOOD, RANGE_SEC: "", FFMPEG_PATH: "" })).toEqual(loadConfig(GOOD));
});

it("names every bad variable at once", () => {
  const bad = { ...GOOD, BUCKET: "", RANGE_SEC: "long", SPEECH_PROVIDER: "ears", USERS_JWKS: "{}" };
  expect(() => loadConfig(bad)).toThrow(
    /BUCKET[\s\S]*USERS_JWKS[\s\S]*SPEECH_PROVIDER[\s\S]*RANGE_SEC/,
  );
});

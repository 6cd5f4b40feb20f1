import { describe, expect, it } from "vitest";
import { locate } from "./location.ts";

const DEFAULT = "legacy-media";
const found = (s3ChunkKey?: string, s3ChunkUrl?: string, bucket: string | undefined = DEFAULT) => {
  const located = locate({ s3ChunkKey, s3ChunkUrl }, bucket);
  if (!located) return "nothing";
  return located.ok
    ? [located.location.bucket, located.location.key, located.location.url]
        .filter(Boolean)
        .join(" ")
    : `! ${located.message}`;
};

describe("an address alone", () => {
  it.each([
    ["s3://media/a/1.mp4", "media a/1.mp4"],
    ["gs://media/a/1.mp4", "media a/1.mp4"],
    ["https://media.s3.eu-west-1.amazonaws.com/a/1.mp4", "media a/1.mp4 $"],
    ["https://my.media.s3.amazonaws.com/a/1.mp4", "my.media a/1.mp4 $"],
    ["https://media.s3-us-west-2.amazonaws.com/a/1.mp4", "media a/1.mp4 $"],
    ["https://media.s3.dualstack.us-east-1.amazonaws.com/1.mp4", "media 1.mp4 $"],
    ["https://media.s3.us-gov-west-1.amazonaws.com/1.mp4", "media 1.mp4 $"],
    ["https://media.s3.cn-north-1.amazonaws.com.cn/1.mp4", "media 1.mp4 $"],
    ["https://s3.eu-west-1.amazonaws.com/media/a/1.mp4", "media a/1.mp4 $"],
    ["https://s3.amazonaws.com/media/a/1.mp4", "media a/1.mp4 $"],
    ["https://storage.googleapis.com/media/a/1.mp4", "media a/1.mp4 $"],
    ["https://media.storage.googleapis.com/a/1.mp4", "media a/1.mp4 $"],
    ["https://storage.cloud.google.com/media/a/1.mp4", "media a/1.mp4 $"],
    ["https://storage.googleapis.com/storage/v1/b/media/o/a%2F1.mp4", "media a/1.mp4 $"],
    ["https://s3.amazonaws.com/media/caf%C3%A9%20%2B/1.mp4", "media café +/1.mp4 $"],
  ])("%s", (url, expected) => {
    expect(found(undefined, url)).toBe(expected.replace("$", url));
  });
  it("is kept without its signature", () => {
    const url = "https://media.s3.amazonaws.com/a.mp4";
    expect(found(undefined, `${url}?X-Amz-Signature=abc#t=1`)).toBe(`media a.mp4 ${url}`);
  });
  it.each([
    ["", "The address is empty."],
    ["s3://", '"" is no name of a bucket.'],
    ["s3://media/", "The key is empty."],
    ["s3://UPPER_case!/a.mp4", '"UPPER_case!" is no name of a bucket.'],
    ["https://cdn.example/a.mp4", "on no store that we know"],
    ["https://evil.example/s3.amazonaws.com/media/a.mp4", "on no store that we know"],
    ["https://s3.amazonaws.com.evil.example/media/a.mp4", "on no store that we know"],
    ["javascript:alert(1)", "is no address of a stored object"],
    ["ftp://media/a.mp4", "is no address of a stored object"],
    ["a/1.mp4", "is no address of a stored object"],
    ["https://s3.amazonaws.com/media/%zz.mp4", "is badly encoded"],
    ["https://s3.amazonaws.com/media/%00.mp4", "cannot be printed"],
    ["https://s3.amazonaws.com/media/a%2F..%2Fb.mp4", "malformed"],
    [`https://s3.amazonaws.com/media/${"a".repeat(9000)}`, "over 8192 characters"],
  ])("%s is refused", (url, why) => {
    expect(found(undefined, url)).toMatch(/^! /);
    expect(found(undefined, url)).toContain(why);
  });
});

describe("a key", () => {
  it("lies in the default bucket", () => {
    expect(found("a/1.mp4")).toBe("legacy-media a/1.mp4");
    expect(locate({ s3ChunkKey: "a/1.mp4" }, undefined)).toMatchObject({
      ok: false,
      message: expect.stringContaining("set LEGACY_ASSET_BUCKET") as string,
    });
  });
  it("lies in its address's bucket", () => {
    expect(found("a/1.mp4", "s3://media/a/1.mp4")).toBe("media a/1.mp4");
  });
  it("with an address of a delivery network lies in the default bucket", () => {
    expect(found("a/1.mp4", "https://cdn.example/x/a/1.mp4?s=1")).toBe(
      "legacy-media a/1.mp4 https://cdn.example/x/a/1.mp4",
    );
  });
  it("may be an address itself", () => {
    expect(found("s3://media/a/1.mp4")).toBe("media a/1.mp4");
    expect(found("s3://media/a.mp4", "https://media.s3.amazonaws.com/a.mp4")).toMatch(/^media a/);
  });
  it.each([
    ["", undefined, "The key is empty."],
    ["   ", "s3://media/a.mp4", "The key is empty."],
    ["a/../b.mp4", undefined, "malformed"],
    ["/a.mp4", undefined, "malformed"],
    ["a//b.mp4", undefined, "malformed"],
    ["a\u0000.mp4", undefined, "cannot be printed"],
    [" a.mp4", undefined, "begins or ends with a space"],
    ["é".repeat(600), undefined, "more than 1024 bytes"],
    ["://x", undefined, "malformed"],
    ["s3:///a.mp4", undefined, "is no name of a bucket"],
    ["a/1.mp4", "s3://media/a/2.mp4", "disagree"],
    ["a/1.mp4", "https://cdn.example/b/1.mp4", "disagree"],
    ["1.mp4", "https://cdn.example/x1.mp4", "disagree"],
    ["a/1.mp4", "", "The address is empty."],
    ["a/1.mp4", "javascript:alert(1)", "is no address"],
  ])("%j with %j is refused", (key, url, why) => {
    expect(found(key, url)).toContain(why);
    expect(found(key, url)).toMatch(/^! /);
  });
});

it("a row with neither has nothing", () => {
  expect(found()).toBe("nothing");
});

import { describe, expect, it } from "vitest";
import { checkObject } from "./object.ts";

const good = {
  bucket: "outputs",
  key: "jobs/a/clips/01.mp4",
  sizeBytes: 1,
  sha256: "a".repeat(64),
  contentType: "text/vtt; charset=utf-8",
};

describe("a stored object", () => {
  it.each([
    ["as it is", {}],
    ["empty", { sizeBytes: 0 }],
    ["with a name in another script", { key: "jobs/a/файл 1.mp4" }],
  ])("is taken %s", (_, over) => {
    expect(() => checkObject({ ...good, ...over }, "jobs/a/")).not.toThrow();
  });
  it.each([
    ["no bucket", { bucket: "" }, /bucket/],
    ["a bucket with a path", { bucket: "a/b/c" }, /bucket/],
    ["an address for a bucket", { bucket: "https://x" }, /bucket/],
    ["no key", { key: "" }, /key/],
    ["a step up", { key: "jobs/a/../b/x" }, /key/],
    ["a folder", { key: "jobs/a/" }, /key/],
    ["a line end", { key: "jobs/a/x\n" }, /key/],
    ["a name that is too long", { key: `jobs/a/${"ä".repeat(600)}` }, /key/],
    ["another job's folder", { key: "jobs/ab/x" }, /below jobs\/a\//],
    ["a size below nothing", { sizeBytes: -1 }, /sizeBytes/],
    ["half a byte", { sizeBytes: 0.5 }, /sizeBytes/],
    ["no number of bytes", { sizeBytes: Number.NaN }, /sizeBytes/],
    ["endless bytes", { sizeBytes: Number.POSITIVE_INFINITY }, /sizeBytes/],
    ["more bytes than can be", { sizeBytes: 2 ** 43 }, /sizeBytes/],
    ["half a checksum", { sha256: "a".repeat(63) }, /sha256/],
    ["upper case", { sha256: "A".repeat(64) }, /sha256/],
    ["a type that is none", { contentType: "<script>" }, /contentType/],
  ])("is refused with %s", (_, over, message) => {
    expect(() => checkObject({ ...good, ...over }, "jobs/a/")).toThrow(message);
  });
  it("is refused with everything that is wrong at once", () => {
    const wrong = { bucket: "", key: "", sizeBytes: -1, sha256: "" };
    expect(() => checkObject(wrong)).toThrow(/bucket.*key.*sizeBytes.*sha256/);
  });
});

import { describe, expect, it } from "vitest";
import { type AssetsStatus, advance } from "./status.ts";

type Row = [from: AssetsStatus | "none", next: AssetsStatus, to: AssetsStatus | null];

describe("within a run of the job", () => {
  it.each<Row>([
    ["none", "pending", "pending"],
    ["pending", "pending", null],
    ["pending", "uploading", "uploading"],
    ["pending", "failed", "failed"],
    ["uploading", "pending", null],
    ["uploading", "ready", "ready"],
    ["uploading", "failed", "failed"],
    ["failed", "pending", null],
    ["failed", "uploading", "uploading"],
    ["failed", "ready", "ready"],
    ["ready", "pending", null],
    ["ready", "uploading", null],
    ["ready", "failed", null],
    ["ready", "ready", "ready"],
  ])("%s + %s -> %s", (from, next, to) => {
    const assetsStatus = from === "none" ? undefined : from;
    expect(advance({ assetsStatus, run: 2 }, next, 2)).toBe(to);
  });
});

describe("in a later run", () => {
  it.each<Row>([
    ["ready", "pending", "pending"],
    ["ready", "uploading", "uploading"],
    ["ready", "failed", "failed"],
    ["failed", "pending", "pending"],
  ])("%s + %s -> %s", (from, next, to) => {
    expect(advance({ assetsStatus: from as AssetsStatus, run: 0 }, next, 1)).toBe(to);
  });
});

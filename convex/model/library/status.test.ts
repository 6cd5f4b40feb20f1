import { describe, expect, it } from "vitest";
import { STATUSES } from "#shared/contract/stages.ts";
import { libraryStatusOf } from "./status.ts";

const of = (
  status: Parameters<typeof libraryStatusOf>[0]["status"],
  state?: "processing" | "completed" | "failed",
) => libraryStatusOf({ status, ...(state ? { study: { state } } : {}) });

describe("libraryStatusOf", () => {
  // Without a study, and with one that is under way, completed, failed.
  it.each([
    [undefined, "pending", "processing", "completed", "failed"],
    ["Queued", "pending", "processing", "pending", "pending"],
    ["Downloading", "processing", "processing", "processing", "processing"],
    ["Fetching chat", "processing", "processing", "processing", "processing"],
    ["Transcribing", "processing", "processing", "processing", "processing"],
    ["Analyzing", "processing", "processing", "processing", "processing"],
    ["Finding highlights", "processing", "processing", "processing", "processing"],
    ["Completed", "completed", "processing", "completed", "failed"],
    ["Failed", "failed", "processing", "completed", "failed"],
    ["Canceled", "failed", "processing", "completed", "failed"],
  ] as const)("%s -> %s, %s, %s, %s", (status, ...expected) => {
    expect([
      of(status),
      of(status, "processing"),
      of(status, "completed"),
      of(status, "failed"),
    ]).toEqual(expected);
  });
  it("says something for every status there is", () => {
    for (const status of STATUSES) expect(of(status)).toMatch(/^[a-z]+$/);
  });
});

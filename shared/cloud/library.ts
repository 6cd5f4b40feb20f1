// What a finished job tells the library in Convex.
import { api } from "#convex/_generated/api.js";
import type { Log } from "../pipeline/log.ts";
import type { Library } from "../pipeline/library.ts";
import type { ConvexCalls } from "./convexCalls.ts";

/** @param testMode logs what would be published instead of sending it (`CONVEX_TEST_MODE`) */
export const createLibrary = (
  { mutation }: ConvexCalls,
  { testMode, log }: { testMode: boolean; log: Log },
): Library => {
  const library: Library = {
    beginTranscript: (task, generation) =>
      mutation(api.transcripts.beginTranscript, { ...task, generation }),
    appendTranscript: (task, generation, first, pieces) =>
      mutation(api.transcripts.appendTranscript, { ...task, generation, first, pieces }),
    activateTranscript: (task, generation, count, language) =>
      mutation(api.transcripts.activateTranscript, { ...task, generation, count, language }),
    publishOutline: (task, outline) =>
      mutation(api.transcripts.publishOutline, { ...task, ...outline }),
  };
  return testMode ? logged(log) : library;
};

const logged = (log: Log): Library => ({
  beginTranscript: async ({ jobId }, generation) => {
    log.info("test mode: transcript not sent", { jobId, generation });
    return { kind: "active" };
  },
  appendTranscript: async () => ({ kind: "over" }),
  activateTranscript: async () => ({ kind: "active" }),
  publishOutline: async ({ jobId }, { chapters, highlights }) => {
    log.info("test mode: outline not sent", {
      jobId,
      chapters: chapters.length,
      highlights: highlights.length,
    });
    return { kind: "published" };
  },
});

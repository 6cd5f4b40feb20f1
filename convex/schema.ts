// Every table. What a table holds, and who writes, reads and deletes it, is said in tables/.
import { defineSchema } from "convex/server";
import {
  assetReferences,
  assetUses,
  migrationErrors,
  migrationRuns,
  scenes,
  videoSessions,
} from "./tables/assets.ts";
import { apiKeys, webhookDeliveries, webhookEndpoints, webhookSecrets } from "./tables/callers.ts";
import {
  assignmentSubmissions,
  chapters,
  contentItems,
  courses,
  enrollments,
  playback,
  progress,
  quizAttempts,
} from "./tables/learning.ts";
import { jobEvents, jobs, rollups, tasks } from "./tables/ledger.ts";
import { transcriptCues, videoOutlines, videos } from "./tables/library.ts";

export default defineSchema({
  videos,
  transcriptCues,
  videoOutlines,
  jobs,
  tasks,
  jobEvents,
  rollups,
  courses,
  chapters,
  contentItems,
  enrollments,
  progress,
  playback,
  quizAttempts,
  assignmentSubmissions,
  videoSessions,
  scenes,
  assetReferences,
  assetUses,
  migrationErrors,
  migrationRuns,
  apiKeys,
  webhookSecrets,
  webhookEndpoints,
  webhookDeliveries,
});

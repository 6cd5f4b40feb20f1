// The graph of stages: ingest → (media ×N, chat ×M); transcribe i after media i; analyze after all
// of them; then highlights, clips ×K, finish. Joins are answered by counts on the job, never by
// reading all its tasks.
import {
  STAGES,
  STAGE_SPECS,
  type Stage,
  type Status,
  isTerminal,
} from "#shared/contract/stages.ts";
import type { JobState, StageCounts, TaskRange } from "./state.ts";

/** Stages whose size is known before anything ran. */
export const INITIAL_TOTAL: StageCounts = { ingest: 1, analyze: 1, highlights: 1, finish: 1 };

const FEEDS: Record<Stage, readonly Stage[]> = {
  ingest: ["media", "chat"],
  media: ["transcribe", "analyze"],
  chat: ["analyze"],
  transcribe: ["analyze"],
  analyze: ["highlights"],
  highlights: ["clips", "finish"],
  clips: ["finish"],
  finish: [],
};

/** Every stage that works on what `stage` made, directly or not. */
export const downstreamOf = (stage: Stage): Set<Stage> => {
  const found = new Set<Stage>();
  const visit = (at: Stage): void => {
    for (const next of FEEDS[at]) {
      found.add(next);
      visit(next);
    }
  };
  visit(stage);
  return found;
};

export const isFinished = (job: JobState, stage: Stage): boolean => {
  const total = job.total[stage];
  return total !== undefined && (job.finished[stage] ?? 0) >= total;
};

/** Finished, with at least one task that was not degraded. */
const hasResult = (job: JobState, stage: Stage): boolean =>
  (job.finished[stage] ?? 0) > (job.degraded[stage] ?? 0);

/** Whether sound and chat are both out of the question, so that nothing can be analysed. */
export const nothingLeft = (job: JobState): boolean =>
  isFinished(job, "media") &&
  isFinished(job, "chat") &&
  !hasResult(job, "media") &&
  !hasResult(job, "chat");

const all = (job: JobState, stage: Stage): TaskRange[] => {
  const count = job.total[stage] ?? 0;
  return count > 0 ? [{ stage, first: 0, count }] : [];
};

const one = (stage: Stage, index = 0): TaskRange[] => [{ stage, first: index, count: 1 }];

/** `analyze`, where the task that was just counted was the last it waited for. */
const joinAnalyze = (job: JobState): TaskRange[] =>
  isFinished(job, "media") && isFinished(job, "chat") && isFinished(job, "transcribe")
    ? one("analyze")
    : [];

/** The tasks that come due by the end of one task; `job` has it counted already. */
export const dueAfter = (job: JobState, stage: Stage, index: number): TaskRange[] => {
  switch (stage) {
    case "ingest":
      return [...all(job, "media"), ...all(job, "chat")];
    case "media":
      return index < (job.total.transcribe ?? 0) ? one("transcribe", index) : joinAnalyze(job);
    case "chat":
    case "transcribe":
      return joinAnalyze(job);
    case "analyze":
      return one("highlights");
    case "highlights":
      return isFinished(job, "clips") ? one("finish") : all(job, "clips");
    case "clips":
      return isFinished(job, "clips") ? one("finish") : [];
    case "finish":
      break;
  }
  return [];
};

/** The status of a job that is neither failed nor canceled: its first unfinished stage. */
export const statusOf = (job: JobState): Status => {
  if (job.admission === "held" || job.admission === "waiting") return "Queued";
  const stage = STAGES.find((candidate) => !isFinished(job, candidate));
  if (stage === undefined) return "Completed";
  if (stage === "ingest" && !job.started.includes("ingest")) return "Queued";
  return STAGE_SPECS[stage].status;
};

export const hasEnded = (job: JobState): boolean => isTerminal(job.status);

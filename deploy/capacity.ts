// Whether the instances keep up with the jobs that are admitted. A message that finds no instance is
// refused and comes again, which Pub/Sub counts; if it counted to the end, a healthy task would fail.
import type { FunctionSpec } from "#functions/catalog.ts";
import { STAGES, type Stage } from "#shared/contract/stages.ts";
import { BACKOFF, MAX_DELIVERY_ATTEMPTS } from "./resources/topics.ts";

/** What a task takes at the 99th percentile; tasks are cut to this size. */
const TASK_SEC = 240;

export interface Load {
  runningJobs: number;
  maxDurationSec: number;
  rangeSec: number;
  chatWindowSec: number;
  /** The most clips of a job. */
  clips: number;
}

/** Tasks of one stage that the longest video makes. */
const tasksOf = (stage: Stage, load: Load): number => {
  const ranges = Math.ceil(load.maxDurationSec / load.rangeSec);
  switch (stage) {
    case "media":
    case "transcribe":
      return ranges;
    case "chat":
      return Math.ceil(load.maxDurationSec / load.chatWindowSec);
    case "clips":
      return load.clips;
    case "ingest":
    case "analyze":
    case "highlights":
    case "finish":
      return 1;
  }
};

/** How long a message that is refused each time is offered; it may wait so long for an instance. */
const offeredSec = (): number => {
  let sum = 0;
  for (let attempt = 1; attempt < MAX_DELIVERY_ATTEMPTS; attempt += 1) {
    sum += Math.min(BACKOFF.minSec * 2 ** (attempt - 1), BACKOFF.maxSec);
  }
  return sum;
};

/** How long the last of all waits where every admitted job is as long as may be, and all at once. */
const worstWaitSec = (stage: Stage, instances: number, load: Load): number =>
  Math.ceil((load.runningJobs * tasksOf(stage, load)) / instances) * TASK_SEC;

/** A line for each stage that would not keep up. */
export const capacityProblems = (catalog: readonly FunctionSpec[], load: Load): string[] => {
  const slow = STAGES.flatMap((stage) => {
    const spec = catalog.find(({ name }) => name === stage);
    if (!spec) return [];
    const waitSec = worstWaitSec(stage, spec.maxInstances * spec.concurrency, load);
    // Half of it, as attempts fail for other reasons as well.
    return waitSec * 2 <= offeredSec() ? [] : [`${stage} (${spec.maxInstances} instances)`];
  });
  return slow.length === 0
    ? []
    : [
        `MAX_RUNNING_JOBS ${load.runningJobs} is too many: of the longest videos, messages would be given up before they find an instance of ${slow.join(", ")}; lower it, or raise maxInstances in functions/catalog.ts (and CLOUD_RUN_VCPU, where it is set)`,
      ];
};

// Starts Cloud Run jobs, which run what outgrows a function: one for each stage, told by its
// environment which task it is for. By plain requests to the Cloud Run Admin API (v2,
// `projects.locations.jobs.run`), since the one call is not worth another client.
import type { HandedOverTask } from "../contract/messages.ts";
import type { Stage } from "../contract/stages.ts";

/** The variable of an execution that holds its `HandedOverTask` as JSON. */
export const TASK_VARIABLE = "HANDED_OVER_TASK";

/** The name of a stage's job on Cloud Run. */
export const taskJobName = (stage: Stage): string => `klipstream-${stage}`;

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_CHARS = 500;

export interface TaskJobsOptions {
  projectId: string;
  region: string;
  /** Default Google's. */
  endpoint?: string | undefined;
  /** Gives a token of an account that may run the jobs with overrides. */
  accessToken: () => Promise<string>;
}

/**
 * @returns a function that starts an execution; it resolves when Cloud Run has taken it, which says
 *   nothing of when it begins, and throws where it was refused or nothing was heard
 */
export const createTaskJobs = (
  options: TaskJobsOptions,
): ((task: HandedOverTask) => Promise<void>) => {
  const { projectId, region, accessToken, endpoint = "https://run.googleapis.com" } = options;
  return async (task) => {
    const name = `projects/${projectId}/locations/${region}/jobs/${taskJobName(task.stage)}`;
    const env = [{ name: TASK_VARIABLE, value: JSON.stringify(task) }];
    const response = await fetch(`${endpoint}/v2/${name}:run`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${await accessToken()}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ overrides: { containerOverrides: [{ env }] } }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await response.text();
    if (response.ok) return;
    const why = answer.slice(0, MAX_ANSWER_CHARS);
    throw new Error(`Cloud Run answered ${response.status} to running ${name}: ${why}`);
  };
};

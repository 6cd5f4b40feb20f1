// One job on a local cloud, as a caller sees it from outside.
import type { StatusResponse } from "#shared/contract/api.ts";
import { type ApiClient, createApiClient } from "#local/cli/api.ts";
import { parseEvent } from "#local/cli/progressView.ts";
import { isTerminal } from "#shared/contract/stages.ts";
import type { LocalCloud } from "#local/cloud.ts";

export const apiOf = (cloud: LocalCloud): ApiClient => createApiClient(cloud.origin, cloud.apiKey);

/** Follows a job to its end. */
export const finished = async (
  api: ApiClient,
  jobId: string,
  signal: AbortSignal = AbortSignal.timeout(120_000),
): Promise<StatusResponse> => {
  for await (const event of api.follow(jobId, signal)) {
    const data = parseEvent(event);
    if (data.type === "status" && isTerminal(data.status)) break;
  }
  return api.status(jobId);
};

/** SHA-256 of every output by name; the manifest, which has times in it, is left out. */
export const hashesOf = (job: StatusResponse): Record<string, string> =>
  Object.fromEntries(
    job.outputs
      .filter(({ name }) => name !== "manifest.json")
      .map(({ name, sha256 }) => [name, sha256]),
  );

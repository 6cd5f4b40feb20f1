// The Cloud Run jobs: one for each stage, of the same image as the functions, which start executions
// of them for what outgrows their time or memory. A job has no revisions beside one another, so it is
// replaced at once, also by a release that has no traffic yet; the ledger's words are understood by
// the version before.
import type { FunctionSpec, JobSize } from "#functions/catalog.ts";
import { taskJobName } from "#shared/cloud/taskJobs.ts";
import { STAGES } from "#shared/contract/stages.ts";
import { type JsonObject, differences } from "../json.ts";
import { type Known, LABELS, type Resource, gcloud, idOf } from "../resource.ts";
import { accountEmail, environmentOf } from "../service.ts";
import type { Settings } from "../settings.ts";
import { inRegion } from "../where.ts";
import { type ListedKind, hasMetadataLabel, inList, listed, metadataName } from "./listed.ts";
import { accountId, apiId } from "./project.ts";
import { secretVersionId } from "./secrets.ts";
import { isReady, secretsOf, toYaml, versionsOf } from "./services.ts";

export interface StageJob {
  name: string;
  spec: FunctionSpec & { job: JobSize };
}

export const stageJobs = (catalog: readonly FunctionSpec[]): StageJob[] =>
  STAGES.flatMap((stage) => {
    const spec = catalog.find(({ name }) => name === stage);
    return spec?.job ? [{ name: taskJobName(stage), spec: { ...spec, job: spec.job } }] : [];
  });

export const jobId = (name: string): string => idOf("job", name);

export const jobKind = (settings: Settings): ListedKind =>
  listed({
    kind: "job",
    needs: [apiId("run.googleapis.com")],
    nameOf: metadataName,
    isOurs: hasMetadataLabel,
    list: gcloud("run", "jobs", "list", "--format=json", ...inRegion(settings)),
    remove: (name) => [gcloud("run", "jobs", "delete", name, "--quiet", ...inRegion(settings))],
  });

/** `run.googleapis.com/v1` Job. Of an execution nothing is retried: what failed, the ledger knows. */
const describeJob = (
  { name, spec }: StageJob,
  settings: Settings,
  image: string,
  known: Known,
): JsonObject => {
  const labels = { ...LABELS, function: spec.name };
  const { memoryMiB, cpu, timeoutSec } = spec.job;
  const { projectNumber } = known;
  const secretVersions = versionsOf(secretsOf(spec, settings), known);
  return {
    apiVersion: "run.googleapis.com/v1",
    kind: "Job",
    metadata: { name, labels },
    spec: {
      template: {
        metadata: {
          labels,
          annotations: { "run.googleapis.com/execution-environment": "gen2" },
        },
        spec: {
          parallelism: 1,
          taskCount: 1,
          template: {
            spec: {
              serviceAccountName: accountEmail(spec.account, settings.projectId),
              maxRetries: 0,
              timeoutSeconds: timeoutSec,
              containers: [
                {
                  image,
                  command: ["node"],
                  args: ["functions/job.mjs"],
                  env: environmentOf(spec, { settings, projectNumber, secretVersions }),
                  resources: { limits: { cpu: String(cpu), memory: `${memoryMiB}Mi` } },
                },
              ],
            },
          },
        },
      },
    },
  };
};

/** @param image of which an execution is started */
export const jobs = (
  catalog: readonly FunctionSpec[],
  settings: Settings,
  image: string,
): Resource[] =>
  stageJobs(catalog).map((job) => {
    const { name, spec } = job;
    const wanted = (known: Known) => describeJob(job, settings, image, known);
    const replace = (known: Known) => [
      {
        ...gcloud("run", "jobs", "replace", `{{${name}-job.yaml}}`, ...inRegion(settings)),
        files: { [`${name}-job.yaml`]: toYaml(wanted(known)) },
      },
    ];
    const declared = inList(jobKind(settings), name, {
      parts: ["jobs", spec.name],
      uses: [accountId(spec.account), ...secretsOf(spec, settings).map(secretVersionId)],
      wanted,
      create: replace,
      update: (_current, known) => replace(known),
    });
    return {
      ...declared,
      differences: (current, known) => [
        ...(isReady(current) ? [] : ["not ready"]),
        ...differences(wanted(known), current),
      ],
    };
  });

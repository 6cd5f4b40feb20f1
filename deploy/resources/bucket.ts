// The one bucket. Results of stages and what is under way expire; what a person got is removed by
// the collector alone, and can be had back for a week.
import { type Json, at, differences, listAt, textAt } from "../json.ts";
import { LABELS, LABEL_FLAG, type Resource, gcloud, idOf, resource } from "../resource.ts";
import type { Settings } from "../settings.ts";
import { inProject } from "../where.ts";
import { hasLabel } from "./listed.ts";
import { apiId } from "./project.ts";

const STAGES_DAYS = 14;
const TMP_DAYS = 1;
const SOFT_DELETE_DAYS = 7;
const DAY_SEC = 86_400;

export const bucketId = ({ bucket }: Settings): string => idOf("bucket", bucket);

const LIFECYCLE = {
  rule: [
    { action: { type: "Delete" }, condition: { age: STAGES_DAYS, matchesPrefix: ["stages/"] } },
    { action: { type: "Delete" }, condition: { age: TMP_DAYS, matchesPrefix: ["tmp/"] } },
    { action: { type: "AbortIncompleteMultipartUpload" }, condition: { age: TMP_DAYS } },
  ],
};

/** Pages upload with PUT to an address that only they were given, and play by ranges. */
const corsOf = ({ webOrigins }: Settings) => [
  {
    origin: webOrigins,
    method: ["GET", "HEAD", "PUT", "POST", "OPTIONS"],
    responseHeader: [
      "Content-Type",
      "Content-Length",
      "Content-Range",
      "Accept-Ranges",
      "Range",
      "ETag",
      "Location",
      "x-goog-hash",
      "x-goog-resumable",
    ],
    maxAgeSeconds: 3600,
  },
];

/** Made but not yet labelled, as a run that was cut off leaves it. */
const isFresh = (current: Json): boolean =>
  at(current, "labels") === undefined &&
  differences(LIFECYCLE, at(current, "lifecycle")).length === 0 &&
  listAt(current, "cors").length === 0;

export const bucket = (settings: Settings): Resource => {
  const url = `gs://${settings.bucket}`;
  const project = inProject(settings);
  const settled = [
    "--uniform-bucket-level-access",
    "--public-access-prevention",
    `--soft-delete-duration=${SOFT_DELETE_DAYS}d`,
    "--lifecycle-file={{lifecycle.json}}",
  ];
  const lifecycle = { "lifecycle.json": JSON.stringify(LIFECYCLE, null, 2) };
  const update = () => ({
    ...gcloud(
      "storage",
      "buckets",
      "update",
      url,
      ...settled,
      "--cors-file={{cors.json}}",
      `--update-labels=${LABEL_FLAG}`,
    ),
    files: { ...lifecycle, "cors.json": JSON.stringify(corsOf(settings), null, 2) },
  });
  return resource({
    kind: "bucket",
    name: settings.bucket,
    parts: ["bucket"],
    needs: [apiId("storage.googleapis.com")],
    read: gcloud("storage", "buckets", "list", "--raw", "--format=json", project),
    find: (answer) =>
      Array.isArray(answer)
        ? answer.find((item) => textAt(item, "name") === settings.bucket)
        : undefined,
    isOurs: (current) => hasLabel(current) || isFresh(current),
    differences: (current) =>
      differences(
        {
          labels: LABELS,
          cors: corsOf(settings),
          lifecycle: LIFECYCLE,
          iamConfiguration: {
            uniformBucketLevelAccess: { enabled: true },
            publicAccessPrevention: "enforced",
          },
          softDeletePolicy: { retentionDurationSeconds: SOFT_DELETE_DAYS * DAY_SEC },
        },
        current,
      ),
    create: () => [
      {
        ...gcloud(
          "storage",
          "buckets",
          "create",
          url,
          `--location=${settings.region}`,
          ...settled,
          project,
        ),
        files: lifecycle,
      },
      update(),
    ],
    update: () => [update()],
    remove: () => [gcloud("storage", "rm", url, "--recursive")],
    isData: true,
  });
};

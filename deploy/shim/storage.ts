// Buckets, images and the builds that make them.
import { Refused } from "./flags.ts";
import { type Call, type Spec, first, labelsOf } from "./spec.ts";
import { type Item, add, change, drop, get, has, list } from "./state.ts";

const storage = "storage.googleapis.com";
const registry = "artifactregistry.googleapis.com";

const bucketName = (call: Call): string => first(call).replace(/^gs:\/\//, "");

const settled = ({ flags, file }: Call): Item => ({
  iamConfiguration: {
    uniformBucketLevelAccess: { enabled: flags["uniform-bucket-level-access"] === "true" },
    publicAccessPrevention: flags["public-access-prevention"] === "true" ? "enforced" : "inherited",
  },
  softDeletePolicy: {
    retentionDurationSeconds: String(
      Number(flags["soft-delete-duration"]?.replace(/d$/, "")) * 86_400,
    ),
  },
  lifecycle: JSON.parse(file(flags["lifecycle-file"] ?? "")),
  ...(flags["cors-file"] === undefined ? {} : { cors: JSON.parse(file(flags["cors-file"])) }),
});

const SETTLED = [
  "uniform-bucket-level-access",
  "public-access-prevention",
  "soft-delete-duration!",
  "lifecycle-file!",
];

export const STORAGE: readonly Spec[] = [
  {
    words: "storage buckets list",
    flags: ["raw"],
    api: storage,
    run: ({ state }) => list(state, "bucket"),
  },
  {
    words: "storage buckets describe",
    positional: 1,
    run: (call) => get(call.state, "bucket", bucketName(call)),
  },
  {
    words: "storage buckets create",
    flags: ["location!", ...SETTLED],
    positional: 1,
    api: storage,
    mutates: true,
    run: (call) =>
      add(call.state, "bucket", bucketName(call), {
        name: bucketName(call),
        location: call.flags["location"]?.toUpperCase(),
        ...settled(call),
      }),
  },
  {
    words: "storage buckets update",
    flags: [...SETTLED, "cors-file=", "update-labels="],
    positional: 1,
    api: storage,
    mutates: true,
    run: (call) =>
      change(call.state, "bucket", bucketName(call), {
        ...settled(call),
        labels: {
          ...(get(call.state, "bucket", bucketName(call))["labels"] as object | undefined),
          ...labelsOf(call.flags["update-labels"]),
        },
      }),
  },
  {
    words: "storage rm",
    flags: ["recursive"],
    positional: 1,
    api: storage,
    mutates: true,
    run: (call) => drop(call.state, "bucket", bucketName(call)),
  },
  {
    words: "artifacts repositories list",
    flags: ["location!"],
    api: registry,
    run: ({ state }) => list(state, "repository"),
  },
  {
    words: "artifacts repositories create",
    flags: ["location!", "repository-format!", "labels="],
    positional: 1,
    api: registry,
    mutates: true,
    run: (call) =>
      add(call.state, "repository", first(call), {
        name: `projects/${call.state.project.projectId}/locations/${call.flags["location"]}/repositories/${first(call)}`,
        format: "DOCKER",
        labels: labelsOf(call.flags["labels"]),
      }),
  },
  {
    words: "artifacts repositories set-cleanup-policies",
    flags: ["location!", "policy!"],
    positional: 1,
    api: registry,
    mutates: true,
    run: (call) => {
      const rules = JSON.parse(call.file(call.flags["policy"] ?? "")) as {
        name: string;
        mostRecentVersions?: object;
        condition?: { olderThan: string };
      }[];
      const cleanupPolicies = Object.fromEntries(
        rules.map(({ name, mostRecentVersions, condition }) => [
          name,
          {
            id: name,
            ...(mostRecentVersions ? { mostRecentVersions } : {}),
            ...(condition
              ? {
                  condition: {
                    olderThan: `${Number(condition.olderThan.replace(/d$/, "")) * 86_400}s`,
                  },
                }
              : {}),
          },
        ]),
      );
      return change(call.state, "repository", first(call), { cleanupPolicies });
    },
  },
  {
    words: "artifacts repositories delete",
    flags: ["location!", "quiet"],
    positional: 1,
    api: registry,
    mutates: true,
    run: (call) => {
      drop(call.state, "repository", first(call));
      for (const image of list(call.state, "image")) {
        drop(call.state, "image", String(image["ref"]));
      }
    },
  },
  {
    words: "artifacts docker images list",
    flags: ["include-tags"],
    positional: 1,
    api: registry,
    run: (call) => {
      const repository = first(call).split("/").at(-1) ?? "";
      get(call.state, "repository", repository);
      return list(call.state, "image");
    },
  },
  {
    words: "builds submit",
    flags: ["config!", "region!", "service-account!", "gcs-source-staging-dir!"],
    positional: 1,
    api: "cloudbuild.googleapis.com",
    mutates: true,
    run: (call) => {
      const { state, flags } = call;
      const config = JSON.parse(call.file(flags["config"] ?? "")) as { images: string[] };
      const [image = ""] = config.images;
      get(state, "account", flags["service-account"]?.split("/").at(-1) ?? "");
      const bucket = flags["gcs-source-staging-dir"]?.split("/")[2] ?? "";
      if (!has(state, "bucket", bucket)) throw new Refused(`NOT_FOUND: bucket ${bucket}`);
      const [, host, repository] = /^([^/]+)\/[^/]+\/([^/]+)\//.exec(image) ?? [];
      if (host !== `${flags["region"]}-docker.pkg.dev`) throw new Refused(`no registry ${host}`);
      get(state, "repository", repository ?? "");
      const [name = "", tag] = image.split(":");
      return add(state, "image", image, { ref: image, package: name, tags: [tag, "latest"] });
    },
  },
];

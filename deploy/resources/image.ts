// The one image. Its tag is a hash of all it is made of, so that it is built once and a service
// changes only when its code does.
import { textAt, listAt } from "../json.ts";
import { LABEL_FLAG, type Resource, gcloud, idOf, resource } from "../resource.ts";
import { accountEmail } from "../service.ts";
import type { Settings } from "../settings.ts";
import { inLocation, inProject } from "../where.ts";
import { bucketId } from "./bucket.ts";
import { type ListedKind, inList, listed } from "./listed.ts";
import { accountId, apiId } from "./project.ts";

export const REPOSITORY = "klipstream";
/** Where Cloud Build finds the sources; what is under `tmp/` expires. */
export const SOURCE_FOLDER = "tmp/source";
const BUILD_TIMEOUT_SEC = 1800;
const KEPT_IMAGES = 20;
const KEPT_DAYS = 30;

export const repositoryId = idOf("repository", REPOSITORY);

const registryOf = ({ region, projectId }: Settings): string =>
  `${region}-docker.pkg.dev/${projectId}/${REPOSITORY}`;

/** @param sources hash of what it is built of */
export const imageName = (settings: Settings, sources: string): string =>
  settings.image ?? `${registryOf(settings)}/functions:${sources}`;

export const repositoryKind = (settings: Settings): ListedKind =>
  listed({
    kind: "repository",
    needs: [apiId("artifactregistry.googleapis.com")],
    list: gcloud("artifacts", "repositories", "list", "--format=json", ...inLocation(settings)),
    remove: (name) => [
      gcloud("artifacts", "repositories", "delete", name, "--quiet", ...inLocation(settings)),
    ],
  });

/** The newest stay however old, since services run them. */
const CLEANUP = [
  { name: "keep", action: { type: "Keep" }, mostRecentVersions: { keepCount: KEPT_IMAGES } },
  { name: "old", action: { type: "Delete" }, condition: { olderThan: `${KEPT_DAYS}d` } },
];

const repository = (settings: Settings): Resource => {
  const cleanup = {
    ...gcloud(
      "artifacts",
      "repositories",
      "set-cleanup-policies",
      REPOSITORY,
      "--policy={{cleanup.json}}",
      ...inLocation(settings),
    ),
    files: { "cleanup.json": JSON.stringify(CLEANUP, null, 2) },
  };
  return inList(repositoryKind(settings), REPOSITORY, {
    parts: ["image"],
    wanted: () => ({
      cleanupPolicies: {
        keep: { mostRecentVersions: { keepCount: KEPT_IMAGES } },
        old: { condition: { olderThan: `${KEPT_DAYS * 86_400}s` } },
      },
    }),
    create: () => [
      gcloud(
        "artifacts",
        "repositories",
        "create",
        REPOSITORY,
        "--repository-format=docker",
        `--labels=${LABEL_FLAG}`,
        ...inLocation(settings),
      ),
      cleanup,
    ],
    update: () => [cleanup],
  });
};

/** Docker with the layers of the last build; Debian's packages anew each week. */
const buildConfig = (image: string) => {
  const latest = image.replace(/:[^:]+$/, ":latest");
  return {
    steps: [
      {
        name: "gcr.io/cloud-builders/docker",
        entrypoint: "bash",
        args: [
          "-c",
          [
            `docker pull --quiet ${latest} || echo "The first build."`,
            [
              "docker build",
              `--cache-from ${latest}`,
              "--build-arg BUILDKIT_INLINE_CACHE=1",
              "--build-arg PACKAGES_AS_OF=$$(date +%G-W%V)",
              `--tag ${image} --tag ${latest} .`,
            ].join(" "),
          ].join("\n"),
        ],
        env: ["DOCKER_BUILDKIT=1"],
      },
    ],
    images: [image, latest],
    timeout: `${BUILD_TIMEOUT_SEC}s`,
    options: { logging: "CLOUD_LOGGING_ONLY" },
  };
};

const tagsOf = (item: Parameters<typeof textAt>[0]): string[] => [
  // Earlier versions of gcloud answer a text with commas.
  ...textAt(item, "tags").split(/[,\s]+/),
  ...listAt(item, "tags").filter((tag) => typeof tag === "string"),
];

const build = (settings: Settings, image: string, functions: readonly string[]): Resource => {
  const account = accountEmail("build", settings.projectId);
  const command = {
    ...gcloud(
      "builds",
      "submit",
      ".",
      "--config={{build.json}}",
      `--region=${settings.region}`,
      `--service-account=projects/${settings.projectId}/serviceAccounts/${account}`,
      `--gcs-source-staging-dir=gs://${settings.bucket}/${SOURCE_FOLDER}`,
      inProject(settings),
    ),
    files: { "build.json": JSON.stringify(buildConfig(image), null, 2) },
  };
  return resource({
    kind: "image",
    name: image,
    // A function's service cannot be made without it.
    parts: ["image", ...functions],
    needs: [repositoryId],
    uses: [bucketId(settings), accountId("build")],
    read: gcloud(
      "artifacts",
      "docker",
      "images",
      "list",
      registryOf(settings),
      "--include-tags",
      "--format=json",
      inProject(settings),
    ),
    find: (answer) =>
      Array.isArray(answer)
        ? answer.find((item) => tagsOf(item).includes(image.split(":").at(-1) ?? ""))
        : undefined,
    differences: () => [],
    create: () => [command],
    update: () => [],
  });
};

/** Nothing where the settings name an image that is there already. */
export const repositories = (settings: Settings): Resource[] =>
  settings.image === undefined ? [repository(settings)] : [];

export const images = (
  settings: Settings,
  sources: string,
  functions: readonly string[],
): Resource[] =>
  settings.image === undefined ? [build(settings, imageName(settings, sources), functions)] : [];

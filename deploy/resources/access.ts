// Who may do what. Each account has the least it needs, on the one thing it needs it for; nothing is
// open to everybody but the functions that the catalog calls public.
import type { FunctionSpec } from "#functions/catalog.ts";
import { type Json, listAt, textAt } from "../json.ts";
import { type Command, type Known, type Resource, gcloud, idOf, resource } from "../resource.ts";
import { accountEmail, secretName, serviceName } from "../service.ts";
import type { Settings } from "../settings.ts";
import { inProject } from "../where.ts";
import { bucketId } from "./bucket.ts";
import { REPOSITORY, SOURCE_FOLDER, repositoryId } from "./image.ts";
import { jobId, stageJobs } from "./jobs.ts";
import { type Account, accountId, member, usesGoogleSpeech } from "./project.ts";
import { secretId } from "./secrets.ts";
import { serviceId } from "./services.ts";
import { DEAD_LETTER_TOPIC, onTopics, subscriptionName, topicId } from "./topics.ts";

interface Condition {
  title: string;
  expression: string;
}

interface Binding {
  role: string;
  member: string | ((known: Known) => string);
  condition?: Condition;
}

interface Target {
  /** Those of one kind are done side by side; what acts for others comes before them. */
  kind?: "account access";
  /** As in `gcloud … get-iam-policy`. */
  words: readonly string[];
  /** How gcloud calls it. */
  address: string;
  /** What shows it in the plan, and the resource it is; none for the project. */
  name: string;
  needs: readonly string[];
  uses?: readonly string[];
  flags?: readonly string[];
  parts: readonly string[];
  bindings: readonly Binding[];
  /** Taken away where they are there: of an earlier catalog, or made by hand. */
  forbidden?: readonly Binding[];
  /** Where the target takes conditions, it wants to be told that there is none. */
  takesConditions?: boolean;
  /** True where the target outlives the accounts, so that what they may is taken away by itself. */
  outlives?: boolean;
  /** Done before the first binding. */
  before?: readonly Command[];
}

/** What Pub/Sub itself acts as. */
const pubsubAgent = ({ projectNumber }: Known): string =>
  `serviceAccount:service-${projectNumber}@gcp-sa-pubsub.iam.gserviceaccount.com`;

const nameOfMember = ({ member }: Binding, known: Known): string =>
  typeof member === "string" ? member : member(known);

const holds = (policy: Json, binding: Binding, known: Known): boolean =>
  listAt(policy, "bindings").some(
    (one) =>
      textAt(one, "role") === binding.role &&
      textAt(one, "condition", "expression") === (binding.condition?.expression ?? "") &&
      listAt(one, "members").includes(nameOfMember(binding, known)),
  );

const access = (target: Target, settings: Settings): Resource => {
  const { words, address, bindings, forbidden = [] } = target;
  // A bucket's name is all over the world its own.
  const flags = [
    ...(target.flags ?? []),
    ...(words[0] === "projects" || words[0] === "storage" ? [] : [inProject(settings)]),
  ];
  const change = (verb: "add" | "remove", binding: Binding, known: Known): Command => {
    const { condition } = binding;
    const command = gcloud(
      ...words,
      `${verb}-iam-policy-binding`,
      address,
      `--member=${nameOfMember(binding, known)}`,
      `--role=${binding.role}`,
      ...(condition ? ["--condition-from-file={{condition.json}}"] : []),
      ...(!condition && target.takesConditions ? ["--condition=None"] : []),
      "--format=json",
      ...flags,
    );
    return condition
      ? { ...command, files: { "condition.json": JSON.stringify(condition) } }
      : command;
  };
  const add = (missing: readonly Binding[], known: Known): Command[] => [
    ...(target.before ?? []),
    ...missing.map((binding) => change("add", binding, known)),
  ];
  return resource({
    kind: target.kind ?? "access",
    name: target.name,
    parts: ["access", ...target.parts],
    needs: target.needs,
    uses: target.uses ?? [],
    read: gcloud(...words, "get-iam-policy", address, "--format=json", ...flags),
    find: (policy) => policy,
    differences: (policy, known) => [
      ...bindings
        .filter((binding) => !holds(policy, binding, known))
        .map((binding) => `${nameOfMember(binding, known)} is not ${binding.role}`),
      ...forbidden
        .filter((binding) => holds(policy, binding, known))
        .map((binding) => `${nameOfMember(binding, known)} is ${binding.role}`),
    ],
    create: (known) => add(bindings, known),
    update: (policy, known) => [
      ...forbidden
        .filter((binding) => holds(policy, binding, known))
        .map((binding) => change("remove", binding, known)),
      ...add(
        bindings.filter((binding) => !holds(policy, binding, known)),
        known,
      ),
    ],
    remove: (policy, known) =>
      target.outlives
        ? bindings
            .filter((binding) => holds(policy, binding, known))
            .map((binding) => change("remove", binding, known))
        : [],
  });
};

const TOKEN_CREATOR = "roles/iam.serviceAccountTokenCreator";

const accountTarget = (account: Account, settings: Settings): Omit<Target, "bindings"> => ({
  kind: "account access",
  words: ["iam", "service-accounts"],
  address: accountEmail(account, settings.projectId),
  name: accountId(account),
  needs: [accountId(account)],
  parts: ["accounts"],
  takesConditions: true,
});

/** Signing addresses of stored objects is asking Google to sign as oneself. */
const signers = (settings: Settings): Target[] =>
  (["api", "worker"] as const).map((account) => ({
    ...accountTarget(account, settings),
    bindings: [{ role: TOKEN_CREATOR, member: member(account, settings) }],
  }));

const pusher = (settings: Settings): Target => ({
  ...accountTarget("push", settings),
  // Pub/Sub's account is made on its first use; it is needed before.
  before: [
    gcloud(
      "beta",
      "services",
      "identity",
      "create",
      "--service=pubsub.googleapis.com",
      inProject(settings),
    ),
  ],
  bindings: [{ role: TOKEN_CREATOR, member: pubsubAgent }],
});

const bucket = (settings: Settings): Target => ({
  words: ["storage", "buckets"],
  address: `gs://${settings.bucket}`,
  name: bucketId(settings),
  needs: [bucketId(settings)],
  uses: [accountId("api"), accountId("worker")],
  parts: ["bucket"],
  takesConditions: true,
  outlives: true,
  bindings: [
    // Reads outputs and signs for uploads; what is there it can neither change nor remove.
    { role: "roles/storage.objectViewer", member: member("api", settings) },
    { role: "roles/storage.objectCreator", member: member("api", settings) },
    { role: "roles/storage.objectUser", member: member("worker", settings) },
    ...(settings.image === undefined
      ? [
          {
            role: "roles/storage.objectViewer",
            member: member("build", settings),
            condition: {
              title: "sources-alone",
              expression: `resource.name.startsWith("projects/_/buckets/${settings.bucket}/objects/${SOURCE_FOLDER}/")`,
            },
          },
        ]
      : []),
  ],
});

const project = (settings: Settings): Target[] => {
  const bindings = [
    ...(settings.image === undefined
      ? [{ role: "roles/logging.logWriter", member: member("build", settings) }]
      : []),
    ...(usesGoogleSpeech(settings)
      ? [{ role: "roles/speech.client", member: member("worker", settings) }]
      : []),
  ];
  return bindings.length === 0
    ? []
    : [
        {
          words: ["projects"],
          address: settings.projectId,
          name: "project",
          needs: [],
          uses: [accountId("worker")],
          parts: ["accounts"],
          takesConditions: true,
          outlives: true,
          bindings,
        },
      ];
};

const repository = (settings: Settings): Target[] =>
  settings.image === undefined
    ? [
        {
          words: ["artifacts", "repositories"],
          address: REPOSITORY,
          name: repositoryId,
          needs: [repositoryId],
          flags: [`--location=${settings.region}`],
          parts: ["image"],
          bindings: [{ role: "roles/artifactregistry.writer", member: member("build", settings) }],
        },
      ]
    : [];

const secrets = (catalog: readonly FunctionSpec[], settings: Settings): Target[] =>
  Object.keys(settings.secrets).map((variable) => {
    const readers = catalog.filter((spec) => spec.secrets.includes(variable));
    return {
      words: ["secrets"],
      address: secretName(variable),
      name: secretId(variable),
      needs: [secretId(variable)],
      parts: ["secrets", ...readers.map(({ name }) => name)],
      bindings: [...new Set(readers.map(({ account }) => account))].map((account) => ({
        role: "roles/secretmanager.secretAccessor",
        member: member(account, settings),
      })),
    };
  });

const topics = (catalog: readonly FunctionSpec[], settings: Settings): Target[] =>
  onTopics(catalog).map(({ name, trigger: { topic } }) => ({
    words: ["pubsub", "topics"],
    address: topic,
    name: topicId(topic),
    needs: [topicId(topic)],
    parts: ["topics", name],
    bindings: (topic === DEAD_LETTER_TOPIC
      ? [pubsubAgent]
      : [member("api", settings), member("worker", settings)]
    ).map((one) => ({ role: "roles/pubsub.publisher", member: one })),
  }));

/** What must be right before anything runs. */
export const accessBefore = (catalog: readonly FunctionSpec[], settings: Settings): Resource[] =>
  [
    ...signers(settings),
    pusher(settings),
    ...project(settings),
    bucket(settings),
    ...repository(settings),
    ...secrets(catalog, settings),
    ...topics(catalog, settings),
  ].map((target) => access(target, settings));

const INVOKER = "roles/run.invoker";
const EVERYBODY = ["allUsers", "allAuthenticatedUsers"];

/**
 * Private functions are called as the push account and by nobody else: what the catalog no longer calls
 * public is closed.
 */
export const accessToServices = (
  catalog: readonly FunctionSpec[],
  settings: Settings,
): Resource[] =>
  catalog.map((spec) =>
    access(
      {
        words: ["run", "services"],
        address: serviceName(spec.name),
        name: serviceId(spec.name),
        needs: [serviceId(spec.name)],
        flags: [`--region=${settings.region}`],
        parts: ["services", spec.name],
        bindings: [{ role: INVOKER, member: spec.public ? "allUsers" : member("push", settings) }],
        forbidden: spec.public ? [] : EVERYBODY.map((who) => ({ role: INVOKER, member: who })),
      },
      settings,
    ),
  );

/** Whoever runs the stages may run their jobs, told which task it is for, and end an execution. */
export const accessToJobs = (catalog: readonly FunctionSpec[], settings: Settings): Resource[] =>
  stageJobs(catalog).map(({ name, spec }) =>
    access(
      {
        words: ["run", "jobs"],
        address: name,
        name: jobId(name),
        needs: [jobId(name)],
        flags: [`--region=${settings.region}`],
        parts: ["jobs", spec.name],
        bindings: [
          {
            role: "roles/run.jobsExecutorWithOverrides",
            member: member(spec.account, settings),
          },
        ],
      },
      settings,
    ),
  );

/** To hand a message to the dead-letter topic, Pub/Sub acknowledges it as anybody would. */
export const accessToSubscriptions = (
  catalog: readonly FunctionSpec[],
  settings: Settings,
): Resource[] =>
  onTopics(catalog)
    .filter(({ trigger }) => trigger.topic !== DEAD_LETTER_TOPIC)
    .map(({ name }) =>
      access(
        {
          words: ["pubsub", "subscriptions"],
          address: subscriptionName(name),
          name: idOf("subscription", subscriptionName(name)),
          needs: [idOf("subscription", subscriptionName(name))],
          parts: ["subscriptions", name],
          bindings: [{ role: "roles/pubsub.subscriber", member: pubsubAgent }],
        },
        settings,
      ),
    );

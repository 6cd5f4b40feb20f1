// The APIs, and the accounts that things run as: `api` answers callers, `worker` runs stages, `push`
// is who Pub/Sub and Scheduler come as, `build` makes the image. What each may is in access.ts.
import { shortName, textAt } from "../json.ts";
import { MARK, type Resource, gcloud, idOf, resource } from "../resource.ts";
import { accountEmail } from "../service.ts";
import type { Settings } from "../settings.ts";
import { inProject } from "../where.ts";

const APIS = [
  "artifactregistry.googleapis.com",
  "cloudbuild.googleapis.com",
  "cloudscheduler.googleapis.com",
  "iam.googleapis.com",
  "iamcredentials.googleapis.com",
  "logging.googleapis.com",
  "monitoring.googleapis.com",
  "pubsub.googleapis.com",
  "run.googleapis.com",
  "secretmanager.googleapis.com",
  "storage.googleapis.com",
] as const;
const SPEECH_API = "speech.googleapis.com";
export type Api = (typeof APIS)[number] | typeof SPEECH_API;

export const apiId = (api: Api): string => idOf("api", api);

export const usesGoogleSpeech = ({ functionVariables }: Settings): boolean =>
  functionVariables["SPEECH_PROVIDER"] === "google";

export const apis = (settings: Settings): Resource[] => {
  const project = inProject(settings);
  return [...APIS, ...(usesGoogleSpeech(settings) ? [SPEECH_API] : [])].map((name) =>
    resource({
      kind: "api",
      name,
      parts: ["apis"],
      read: gcloud("services", "list", "--enabled", "--format=json", project),
      find: (answer) =>
        Array.isArray(answer)
          ? answer.find((item) => (textAt(item, "config", "name") || shortName(item)) === name)
          : undefined,
      differences: () => [],
      create: () => [gcloud("services", "enable", name, project)],
      update: () => [],
      stays: "others in the project may use it",
    }),
  );
};

export const ACCOUNTS = {
  api: "KlipStream: answers callers",
  worker: "KlipStream: runs the stages",
  push: "KlipStream: what Pub/Sub and Scheduler call the functions as",
  build: "KlipStream: builds the image",
} as const;
export type Account = keyof typeof ACCOUNTS;

export const accountId = (account: Account): string => idOf("account", `klipstream-${account}`);

export const member = (account: Account, { projectId }: Settings): string =>
  `serviceAccount:${accountEmail(account, projectId)}`;

export const accounts = (settings: Settings): Resource[] => {
  const project = inProject(settings);
  return (Object.keys(ACCOUNTS) as Account[]).map((account) => {
    const email = accountEmail(account, settings.projectId);
    const texts = [`--display-name=${ACCOUNTS[account]}`, `--description=${MARK}`];
    return resource({
      kind: "account",
      name: `klipstream-${account}`,
      parts: ["accounts"],
      needs: [apiId("iam.googleapis.com")],
      read: gcloud("iam", "service-accounts", "list", "--format=json", project),
      find: (answer) =>
        Array.isArray(answer) ? answer.find((item) => textAt(item, "email") === email) : undefined,
      isOurs: (current) => textAt(current, "description") === MARK,
      differences: (current) =>
        textAt(current, "displayName") === ACCOUNTS[account] ? [] : ["displayName"],
      create: () => [
        gcloud("iam", "service-accounts", "create", `klipstream-${account}`, ...texts, project),
      ],
      update: () => [gcloud("iam", "service-accounts", "update", email, ...texts, project)],
      remove: () => [gcloud("iam", "service-accounts", "delete", email, "--quiet", project)],
    });
  });
};

// The project itself, its APIs, accounts and secrets.
import { Refused } from "./flags.ts";
import { type Spec, first, labelsOf } from "./spec.ts";
import { type State, add, change, drop, get, has, list, nextNumber } from "./state.ts";

const fullName = (state: State, kind: string, name: string): string =>
  `projects/${state.project.projectId}/${kind}/${name}`;

const iam = "iam.googleapis.com";
const secretmanager = "secretmanager.googleapis.com";

export const PROJECT: readonly Spec[] = [
  {
    words: "version",
    run: () => ({ "Google Cloud SDK": "528.0.0", alpha: "2025.06.20", beta: "2025.06.20" }),
  },
  {
    words: "auth list",
    flags: ["filter="],
    run: ({ state }) =>
      state.project.account === "" ? [] : [{ account: state.project.account, status: "ACTIVE" }],
  },
  {
    words: "projects describe",
    positional: 1,
    run: (call) => {
      const { projectId, projectNumber } = call.state.project;
      if (first(call) !== projectId) throw new Refused("NOT_FOUND: no such project");
      return { projectId, projectNumber, lifecycleState: "ACTIVE" };
    },
  },
  {
    words: "billing projects describe",
    positional: 1,
    run: ({ state }) => ({ billingEnabled: state.project.billing }),
  },
  {
    words: "services list",
    flags: ["enabled"],
    run: ({ state }) => state.apis.map((name) => ({ config: { name }, state: "ENABLED" })),
  },
  {
    words: "services enable",
    positional: 1,
    mutates: true,
    run: (call) => {
      call.state.apis = [...new Set([...call.state.apis, first(call)])];
    },
  },
  {
    words: "beta services identity create",
    flags: ["service!"],
    mutates: true,
    run: () => undefined,
  },
  { words: "iam service-accounts list", api: iam, run: ({ state }) => list(state, "account") },
  {
    words: "iam service-accounts create",
    flags: ["display-name=", "description="],
    positional: 1,
    api: iam,
    mutates: true,
    run: (call) => {
      const { state, flags } = call;
      const email = `${first(call)}@${state.project.projectId}.iam.gserviceaccount.com`;
      return add(state, "account", email, {
        email,
        name: fullName(state, "serviceAccounts", email),
        uniqueId: `1000000000000000000${nextNumber(state)}`,
        displayName: flags["display-name"],
        description: flags["description"],
      });
    },
  },
  {
    words: "iam service-accounts update",
    flags: ["display-name=", "description="],
    positional: 1,
    api: iam,
    mutates: true,
    run: (call) =>
      change(call.state, "account", first(call), {
        displayName: call.flags["display-name"],
        description: call.flags["description"],
      }),
  },
  {
    words: "iam service-accounts delete",
    flags: ["quiet"],
    positional: 1,
    api: iam,
    mutates: true,
    run: (call) => drop(call.state, "account", first(call)),
  },
  { words: "secrets list", api: secretmanager, run: ({ state }) => list(state, "secret") },
  {
    words: "secrets create",
    flags: ["replication-policy!", "labels="],
    positional: 1,
    api: secretmanager,
    mutates: true,
    run: (call) =>
      add(call.state, "secret", first(call), {
        name: `projects/${call.state.project.projectNumber}/secrets/${first(call)}`,
        labels: labelsOf(call.flags["labels"]),
        versions: [],
      }),
  },
  {
    words: "secrets versions add",
    flags: ["data-file!"],
    positional: 1,
    api: secretmanager,
    mutates: true,
    run: (call) => {
      const secret = get(call.state, "secret", first(call));
      if (call.flags["data-file"] !== "-") throw new Refused("a secret in a file");
      if (call.input === "") throw new Refused("The secret is empty.");
      (secret["versions"] as string[]).push(call.input);
    },
  },
  {
    words: "secrets versions access",
    flags: ["secret!"],
    positional: 1,
    api: secretmanager,
    run: ({ state, flags, args }) => {
      const name = flags["secret"] ?? "";
      const versions = get(state, "secret", name)["versions"] as string[];
      const value = versions.at(-1);
      if (value === undefined || args[0] !== "latest") throw new Refused("NOT_FOUND: no version");
      return {
        name: fullName(state, "secrets", `${name}/versions/${versions.length}`),
        payload: { data: Buffer.from(value).toString("base64url") },
      };
    },
  },
  {
    words: "secrets delete",
    flags: ["quiet"],
    positional: 1,
    api: secretmanager,
    mutates: true,
    run: (call) => drop(call.state, "secret", first(call)),
  },
];

/** Whether a secret has this version. */
export const hasVersion = (state: State, secret: string, version: string): boolean =>
  has(state, "secret", secret) &&
  (get(state, "secret", secret)["versions"] as string[]).length >= Number(version) &&
  /^[1-9]\d*$/.test(version);

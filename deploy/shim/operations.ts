// What runs by the clock, and what watches.
import { type Call, type Spec, first, labelsOf } from "./spec.ts";
import { type Item, add, change, drop, get, list, nextNumber } from "./state.ts";

const scheduler = "cloudscheduler.googleapis.com";
const monitoring = "monitoring.googleapis.com";

const JOB = [
  "location!",
  "schedule!",
  "time-zone!",
  "uri!",
  "http-method!",
  "oidc-service-account-email!",
  "oidc-token-audience!",
  "attempt-deadline!",
  "max-retry-attempts!",
  "description!",
];

const jobOf = (call: Call): Item => {
  const { flags, state } = call;
  get(state, "account", flags["oidc-service-account-email"] ?? "");
  return {
    name: `projects/${state.project.projectId}/locations/${flags["location"]}/jobs/${first(call)}`,
    description: flags["description"],
    schedule: flags["schedule"],
    timeZone: flags["time-zone"],
    attemptDeadline: flags["attempt-deadline"],
    state: "ENABLED",
    httpTarget: {
      uri: flags["uri"],
      httpMethod: flags["http-method"]?.toUpperCase(),
      oidcToken: {
        serviceAccountEmail: flags["oidc-service-account-email"],
        audience: flags["oidc-token-audience"],
      },
    },
  };
};

const JOBS: readonly Spec[] = [
  {
    words: "scheduler jobs list",
    flags: ["location!"],
    api: scheduler,
    run: ({ state }) => list(state, "job"),
  },
  {
    words: "scheduler jobs create http",
    flags: JOB,
    positional: 1,
    api: scheduler,
    mutates: true,
    run: (call) => add(call.state, "job", first(call), jobOf(call)),
  },
  {
    words: "scheduler jobs update http",
    flags: JOB,
    positional: 1,
    api: scheduler,
    mutates: true,
    run: (call) => change(call.state, "job", first(call), jobOf(call)),
  },
  {
    words: "scheduler jobs delete",
    flags: ["location!", "quiet"],
    positional: 1,
    api: scheduler,
    mutates: true,
    run: (call) => drop(call.state, "job", first(call)),
  },
];

/** Those whose names Google makes, and whose content comes in a file. */
const byFile = (words: string, kind: string, folder: string, flag: string): Spec[] => {
  const numbered = (call: Call): string => first(call).split("/").at(-1) ?? "";
  const read = (call: Call): Item => JSON.parse(call.file(call.flags[flag] ?? "")) as Item;
  const common = { api: monitoring, mutates: true };
  return [
    { words: `${words} list`, api: monitoring, run: ({ state }) => list(state, kind) },
    {
      ...common,
      words: `${words} create`,
      flags: [`${flag}!`],
      run: (call) => {
        const id = String(nextNumber(call.state));
        const name = `projects/${call.state.project.projectNumber}/${folder}/${id}`;
        return add(call.state, kind, id, { ...read(call), name, etag: "e1" });
      },
    },
    {
      ...common,
      words: `${words} update`,
      flags: [`${flag}!`],
      positional: 1,
      run: (call) => change(call.state, kind, numbered(call), read(call)),
    },
    {
      ...common,
      words: `${words} delete`,
      flags: ["quiet"],
      positional: 1,
      run: (call) => drop(call.state, kind, numbered(call)),
    },
  ];
};

const CHANNELS: readonly Spec[] = [
  {
    words: "beta monitoring channels list",
    api: monitoring,
    run: ({ state }) => list(state, "channel"),
  },
  {
    words: "beta monitoring channels create",
    flags: ["display-name!", "type!", "channel-labels!", "user-labels="],
    api: monitoring,
    mutates: true,
    run: ({ state, flags }) => {
      const id = String(nextNumber(state));
      return add(state, "channel", id, {
        name: `projects/${state.project.projectId}/notificationChannels/${id}`,
        labels: labelsOf(flags["channel-labels"]),
        userLabels: labelsOf(flags["user-labels"]),
      });
    },
  },
  {
    words: "beta monitoring channels update",
    flags: ["update-channel-labels!"],
    positional: 1,
    api: monitoring,
    mutates: true,
    run: (call) =>
      change(call.state, "channel", first(call).split("/").at(-1) ?? "", {
        labels: labelsOf(call.flags["update-channel-labels"]),
      }),
  },
  {
    words: "beta monitoring channels delete",
    flags: ["force", "quiet"],
    positional: 1,
    api: monitoring,
    mutates: true,
    run: (call) => drop(call.state, "channel", first(call).split("/").at(-1) ?? ""),
  },
];

export const OPERATIONS: readonly Spec[] = [
  ...JOBS,
  ...CHANNELS,
  ...byFile("alpha monitoring policies", "policy", "alertPolicies", "policy-from-file"),
  ...byFile("monitoring dashboards", "dashboard", "dashboards", "config-from-file"),
];

// `get-iam-policy`, `add-iam-policy-binding` and `remove-iam-policy-binding` of everything that has them.
import type { Call, Spec } from "./spec.ts";
import { first } from "./spec.ts";
import { bind, get, policyOf, unbind } from "./state.ts";

interface Target {
  words: string;
  kind: string;
  api?: string;
  flags?: readonly string[];
  nameOf?: (text: string) => string;
}

const conditionOf = ({ flags, file }: Call): unknown => {
  if (flags["condition-from-file"] !== undefined)
    return JSON.parse(file(flags["condition-from-file"]));
  return undefined;
};

const bindingOf = (call: Call) => ({
  role: call.flags["role"] ?? "",
  member: call.flags["member"] ?? "",
  condition: conditionOf(call),
});

const specsOf = ({ words, kind, api, flags = [], nameOf = (name) => name }: Target): Spec[] => {
  const target = (call: Call): string => {
    const name = nameOf(first(call));
    const isHere = kind !== "project" && !call.state.elsewhere?.includes(kind);
    if (isHere) get(call.state, kind, name);
    return name;
  };
  const common = { positional: 1, ...(api === undefined ? {} : { api }) };
  const binding = [...flags, "member!", "role!", "condition=", "condition-from-file="];
  return [
    {
      ...common,
      words: `${words} get-iam-policy`,
      flags,
      run: (call) => ({ etag: "BwXX", version: 1, ...policyOf(call.state, kind, target(call)) }),
    },
    {
      ...common,
      words: `${words} add-iam-policy-binding`,
      flags: binding,
      mutates: true,
      run: (call) => bind(call.state, kind, target(call), bindingOf(call)),
    },
    {
      ...common,
      words: `${words} remove-iam-policy-binding`,
      flags: binding,
      mutates: true,
      run: (call) => unbind(call.state, kind, target(call), bindingOf(call)),
    },
  ];
};

const pubsub = "pubsub.googleapis.com";
const bucketName = (url: string): string => url.replace(/^gs:\/\//, "");

export const POLICIES: readonly Spec[] = [
  { words: "projects", kind: "project" },
  { words: "iam service-accounts", kind: "account", api: "iam.googleapis.com" },
  { words: "pubsub topics", kind: "topic", api: pubsub },
  { words: "pubsub subscriptions", kind: "subscription", api: pubsub },
  { words: "secrets", kind: "secret", api: "secretmanager.googleapis.com" },
  { words: "run services", kind: "service", api: "run.googleapis.com", flags: ["region!"] },
  { words: "run jobs", kind: "run-job", api: "run.googleapis.com", flags: ["region!"] },
  { words: "storage buckets", kind: "bucket", api: "storage.googleapis.com", nameOf: bucketName },
  {
    words: "artifacts repositories",
    kind: "repository",
    api: "artifactregistry.googleapis.com",
    flags: ["location!"],
  },
].flatMap(specsOf);

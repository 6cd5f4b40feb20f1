// Services and jobs of Cloud Run.
import { parse } from "yaml";
import { z } from "zod";
import { Refused } from "./flags.ts";
import { hasVersion } from "./project.ts";
import { type Call, type Spec, first } from "./spec.ts";
import { type State, add, drop, get, has, list, nextNumber, put } from "./state.ts";

const api = "run.googleapis.com";

const Text = z.record(z.string(), z.string());
const Variable = z.strictObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .strictObject({ secretKeyRef: z.strictObject({ name: z.string(), key: z.string() }) })
    .optional(),
});

const Words = z.array(z.string());
const container = {
  image: z.string().min(1),
  env: z.array(Variable),
  resources: z.strictObject({
    limits: z.strictObject({ cpu: z.string(), memory: z.string() }),
  }),
};

const GENERATION = "run.googleapis.com/execution-environment";

const Target = z.strictObject({
  latestRevision: z.literal(true).optional(),
  revisionName: z.string().optional(),
  tag: z.string().optional(),
  percent: z.number(),
});

/** As far as we use it; a field that is not here would be a slip. */
const Service = z.strictObject({
  apiVersion: z.literal("serving.knative.dev/v1"),
  kind: z.literal("Service"),
  metadata: z.strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,48}$/),
    labels: Text,
    annotations: Text,
  }),
  spec: z.strictObject({
    template: z.strictObject({
      metadata: z.strictObject({ name: z.string().optional(), labels: Text, annotations: Text }),
      spec: z.strictObject({
        serviceAccountName: z.string(),
        containerConcurrency: z.int().positive(),
        timeoutSeconds: z.int().max(3600),
        containers: z.tuple([z.strictObject(container)]),
      }),
    }),
    traffic: z.array(Target),
  }),
});

/** As far as we use it; of an execution, and of its one task. */
const Job = z.strictObject({
  apiVersion: z.literal("run.googleapis.com/v1"),
  kind: z.literal("Job"),
  metadata: z.strictObject({ name: z.string().regex(/^[a-z][a-z0-9-]{0,48}$/), labels: Text }),
  spec: z.strictObject({
    template: z.strictObject({
      metadata: z.strictObject({ labels: Text, annotations: Text }),
      spec: z.strictObject({
        parallelism: z.int(),
        taskCount: z.int(),
        template: z.strictObject({
          spec: z.strictObject({
            serviceAccountName: z.string(),
            maxRetries: z.int().max(10),
            timeoutSeconds: z.int().max(168 * 3600),
            containers: z.tuple([z.strictObject({ ...container, command: Words, args: Words })]),
          }),
        }),
      }),
    }),
  }),
});

interface Container {
  image: string;
  env: z.infer<typeof Variable>[];
  resources: { limits: { cpu: string; memory: string } };
}

/** What the real one would not start. */
const check = (
  { state }: Call,
  account: string,
  container: Container,
  generation: string | undefined,
): void => {
  get(state, "account", account);
  if (container.image.includes("-docker.pkg.dev/") && !has(state, "image", container.image)) {
    throw new Refused(`Image '${container.image}' not found.`);
  }
  for (const { valueFrom } of container.env) {
    if (valueFrom && !hasVersion(state, valueFrom.secretKeyRef.name, valueFrom.secretKeyRef.key)) {
      throw new Refused(`Secret ${valueFrom.secretKeyRef.name} has no such version.`);
    }
  }
  const memoryMiB = Number(container.resources.limits.memory.replace(/Mi$/, ""));
  if (generation === "gen2" && memoryMiB < 512) {
    throw new Refused("Total memory < 512 Mi is not supported with gen2.");
  }
  if (memoryMiB > 4096 * Number(container.resources.limits.cpu)) throw new Refused("more cpu");
};

/** With all its instances. */
const checkQuota = ({ vcpu = Infinity }: State, { spec }: z.infer<typeof Service>): void => {
  const { metadata, spec: revision } = spec.template;
  const cpu = Number(revision.containers[0].resources.limits.cpu);
  const requested = cpu * Number(metadata.annotations["autoscaling.knative.dev/maxScale"]);
  if (requested <= vcpu) return;
  throw new Refused(
    `Max instances must be set to ${Math.floor(vcpu / cpu)} or fewer to set the requested total CPU.\n\nQuota violated:\nCpuAllocPerProjectRegion requested: ${requested * 1000} allowed: ${vcpu * 1000}`,
  );
};

/** A new revision where anything of it is new. @returns its name */
const revise = (state: State, service: z.infer<typeof Service>): string => {
  const { name } = service.metadata;
  const { metadata, spec } = service.spec.template;
  const text = JSON.stringify([spec, metadata.annotations, metadata.labels]);
  const earlier = list(state, "revision").filter((revision) => revision["service"] === name);
  const newest = earlier.at(-1);
  if (newest?.["text"] === text && [undefined, newest["name"]].includes(metadata.name)) {
    return String(newest["name"]);
  }
  const revision = metadata.name ?? `${name}-${String(earlier.length + 1).padStart(5, "0")}-abc`;
  add(state, "revision", revision, { name: revision, service: name, text });
  return revision;
};

const withoutZero = ({ percent, ...rest }: z.infer<typeof Target>): object =>
  percent === 0 ? rest : { ...rest, percent };

const resolve = (
  state: State,
  host: string,
  latest: string,
  traffic: readonly z.infer<typeof Target>[],
): object[] => {
  const sum = traffic.reduce((total, { percent }) => total + percent, 0);
  if (sum !== 100) throw new Refused(`Traffic sums to ${sum}.`);
  return traffic.map((target) => {
    const revisionName = target.revisionName ?? latest;
    get(state, "revision", revisionName);
    const url = target.tag === undefined ? {} : { url: `https://${target.tag}---${host}` };
    const { percent, ...rest } = target;
    // As all of Google's answers, without what is nothing.
    return { ...rest, ...(percent === 0 ? {} : { percent }), revisionName, ...url };
  });
};

export const RUN: readonly Spec[] = [
  {
    words: "run jobs list",
    flags: ["region!"],
    api,
    run: ({ state }) => list(state, "run-job"),
  },
  {
    words: "run jobs replace",
    flags: ["region!"],
    positional: 1,
    api,
    mutates: true,
    run: (call) => {
      const job = Job.parse(parse(call.file(first(call))));
      const { metadata, spec } = job.spec.template;
      const task = spec.template.spec;
      const generation = metadata.annotations[GENERATION];
      check(call, task.serviceAccountName, task.containers[0], generation);
      // Of 64 bits, so that it is shown as text.
      const shown = { ...task, timeoutSeconds: String(task.timeoutSeconds) };
      const execution = { ...spec, template: { spec: shown } };
      return put(call.state, "run-job", job.metadata.name, {
        ...job,
        spec: { template: { metadata, spec: execution } },
        status: { conditions: [{ type: "Ready", status: "True" }] },
      });
    },
  },
  {
    words: "run jobs delete",
    flags: ["region!", "quiet"],
    positional: 1,
    api,
    mutates: true,
    run: (call) => drop(call.state, "run-job", first(call)),
  },
  {
    words: "run services list",
    flags: ["region!"],
    api,
    run: ({ state }) => list(state, "service"),
  },
  {
    words: "run services replace",
    flags: ["region!"],
    positional: 1,
    api,
    mutates: true,
    run: (call) => {
      const service = Service.parse(parse(call.file(first(call))));
      const { metadata, spec } = service.spec.template;
      const generation = metadata.annotations[GENERATION];
      check(call, spec.serviceAccountName, spec.containers[0], generation);
      checkQuota(call.state, service);
      const { name } = service.metadata;
      const { state, flags } = call;
      const url =
        state.serviceUrl?.replace("{function}", name.replace("klipstream-", "")) ??
        `https://${name}-${state.project.projectNumber}.${flags["region"]}.run.app`;
      const before = has(state, "service", name) ? get(state, "service", name) : undefined;
      const { status } = (before ?? {}) as { status?: { conditions: unknown } };
      const revisions = list(state, "revision").length;
      const latest = revise(state, service);
      // What is described the same is not started anew.
      const isSame = status !== undefined && list(state, "revision").length === revisions;
      const conditions = isSame ? status.conditions : [{ type: "Ready", status: "True" }];
      return put(state, "service", name, {
        ...service,
        metadata: { ...service.metadata, generation: nextNumber(state) },
        spec: { ...service.spec, traffic: service.spec.traffic.map(withoutZero) },
        status: {
          url,
          conditions,
          latestReadyRevisionName: latest,
          traffic: resolve(state, url.slice(8), latest, service.spec.traffic),
        },
      });
    },
  },
  {
    words: "run services update-traffic",
    flags: ["region!", "to-revisions!"],
    positional: 1,
    api,
    mutates: true,
    run: (call) => {
      const { state, flags } = call;
      const service = get(state, "service", first(call));
      const traffic = (flags["to-revisions"] ?? "").split(",").map((share) => {
        const [revisionName = "", percent] = share.split("=");
        return { revisionName, percent: Number(percent) };
      });
      const status = service["status"] as Record<string, unknown>;
      return put(state, "service", first(call), {
        ...service,
        spec: { ...(service["spec"] as object), traffic },
        status: { ...status, traffic: resolve(state, "", "", traffic) },
      });
    },
  },
  {
    words: "run services delete",
    flags: ["region!", "quiet"],
    positional: 1,
    api,
    mutates: true,
    run: (call) => {
      drop(call.state, "service", first(call));
      for (const revision of list(call.state, "revision")) {
        if (revision["service"] === first(call)) {
          drop(call.state, "revision", String(revision["name"]));
        }
      }
    },
  },
];

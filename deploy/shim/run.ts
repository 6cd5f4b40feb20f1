// Services of Cloud Run.
import { parse } from "yaml";
import { z } from "zod";
import { Refused } from "./flags.ts";
import { hasVersion } from "./project.ts";
import { type Call, type Spec, first } from "./spec.ts";
import { drop, get, has, list, put } from "./state.ts";

const api = "run.googleapis.com";

const Text = z.record(z.string(), z.string());
const Variable = z.strictObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .strictObject({ secretKeyRef: z.strictObject({ name: z.string(), key: z.string() }) })
    .optional(),
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
      metadata: z.strictObject({ labels: Text, annotations: Text }),
      spec: z.strictObject({
        serviceAccountName: z.string(),
        containerConcurrency: z.int().positive(),
        timeoutSeconds: z.int().max(3600),
        containers: z.tuple([
          z.strictObject({
            image: z.string().min(1),
            env: z.array(Variable),
            resources: z.strictObject({
              limits: z.strictObject({ cpu: z.string(), memory: z.string() }),
            }),
          }),
        ]),
      }),
    }),
    traffic: z.array(z.looseObject({ percent: z.number().optional() })),
  }),
});

/** What the real one would not start. */
const check = ({ state }: Call, service: z.infer<typeof Service>): void => {
  const { template } = service.spec;
  const [container] = template.spec.containers;
  get(state, "account", template.spec.serviceAccountName);
  if (container.image.includes("-docker.pkg.dev/") && !has(state, "image", container.image)) {
    throw new Refused(`Image '${container.image}' not found.`);
  }
  for (const { valueFrom } of container.env) {
    if (valueFrom && !hasVersion(state, valueFrom.secretKeyRef.name, valueFrom.secretKeyRef.key)) {
      throw new Refused(`Secret ${valueFrom.secretKeyRef.name} has no such version.`);
    }
  }
  const generation = template.metadata.annotations["run.googleapis.com/execution-environment"];
  const memoryMiB = Number(container.resources.limits.memory.replace(/Mi$/, ""));
  if (generation === "gen2" && memoryMiB < 512) {
    throw new Refused("Total memory < 512 Mi is not supported with gen2.");
  }
  if (memoryMiB > 4096 * Number(container.resources.limits.cpu)) throw new Refused("more cpu");
};

export const RUN: readonly Spec[] = [
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
      check(call, service);
      const { name } = service.metadata;
      const { state, flags } = call;
      const url = `https://${name}-${state.project.projectNumber}.${flags["region"]}.run.app`;
      return put(state, "service", name, {
        ...service,
        status: { url, conditions: [{ type: "Ready", status: "True" }] },
      });
    },
  },
  {
    words: "run services delete",
    flags: ["region!", "quiet"],
    positional: 1,
    api,
    mutates: true,
    run: (call) => drop(call.state, "service", first(call)),
  },
];

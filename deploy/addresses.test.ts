// Two functions answer callers, each at an address of its own or both at one. They are run as they are
// deployed, and whatever address they tell must be one where the function that has the route answers.
import * as ff from "@google-cloud/functions-framework";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CATALOG, functionSpec } from "#functions/catalog.ts";
import { openApiPath } from "#functions/http/description.ts";
import { routePattern } from "#functions/routePattern.ts";
import type { Runtime } from "#functions/runtime.ts";
import { leaveRequestsAlone } from "#functions/serve.ts";
import { create as createStatus } from "#functions/status.ts";
import { create as createSubmit } from "#functions/submit.ts";
import { loadConfig } from "#shared/cloud/config.ts";
import { AnalysisResponse } from "#shared/contract/api.ts";
import type { JobView } from "#shared/contract/ledger.ts";
import { createLog } from "#shared/pipeline/log.ts";
import { describeService } from "./service.ts";
import { readSettings } from "./settings.ts";
import { GIVEN } from "./shim/world.ts";

const NUMBER = "123456789012";
const STATUS = `https://klipstream-status-${NUMBER}.us-central1.run.app`;
const SUBMIT = `https://klipstream-submit-${NUMBER}.us-central1.run.app`;
const FRONT = "https://api.example.com/video";
const UPLOADS = "https://in.example.com";

const JOB = {
  jobId: "j1",
  videoId: "v1",
  status: "Queued",
  progressPercentage: 0,
  currentStage: "Queued",
  estimatedCompletionSeconds: null,
} as JobView;

interface Deployed {
  what: string;
  /** What is set beside what is always set. */
  set: Record<string, string>;
  /** Which functions answer at an address. */
  at: Record<string, string[]>;
}
const CASES: Deployed[] = [
  { what: "each at its own", set: {}, at: { [STATUS]: ["status"], [SUBMIT]: ["submit"] } },
  {
    what: "both behind one",
    set: { PUBLIC_URL: `${FRONT}/` },
    at: { [FRONT]: ["status", "submit"] },
  },
  {
    what: "each at one of the operator's",
    set: { PUBLIC_URL: FRONT, SUBMIT_URL: UPLOADS },
    at: { [FRONT]: ["status"], [UPLOADS]: ["submit"] },
  },
  {
    what: "one at the operator's, one at its own",
    set: { SUBMIT_URL: UPLOADS },
    at: { [STATUS]: ["status"], [UPLOADS]: ["submit"] },
  },
];

/** The framework wants every function to have a name of its own. */
let started = 0;

/** The function with the environment that it is deployed with, and a ledger of one job. */
const start = async (name: string, set: Record<string, string>): Promise<Server> => {
  const spec = functionSpec(name);
  const description = describeService(spec, {
    settings: readSettings({ ...GIVEN, ...set }),
    image: "image",
    projectNumber: NUMBER,
    secretVersions: {},
  }) as {
    spec: { template: { spec: { containers: { env: { name: string; value: string }[] }[] } } };
  };
  const [container] = description.spec.template.spec.containers;
  const env = Object.fromEntries((container?.env ?? []).map((one) => [one.name, one.value]));
  const runtime = {
    spec,
    config: loadConfig(env),
    log: createLog({}, () => undefined),
    shutdown: new AbortController().signal,
    store: { bucket: "bucket" },
    publishDue: async () => undefined,
    ledger: {
      apiKeyOwner: async () => "owner",
      createJob: async () => ({ kind: "created", job: JOB, messages: [], deliveryIds: [] }),
    },
  } as unknown as Runtime;
  const create = name === "submit" ? createSubmit : createStatus;
  const target = `${name}-${(started += 1)}`;
  ff.http(target, create(runtime));
  const server = getTestServer(target).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
};

const originOf = (server: Server): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(() => leaveRequestsAlone(true));

describe.each(CASES)("$what", ({ set, at }) => {
  let status: Server;
  let submit: Server;
  beforeAll(async () => {
    [status, submit] = await Promise.all([start("status", set), start("submit", set)]);
  });
  afterAll(() => {
    for (const server of [status, submit]) {
      server.close();
      server.closeAllConnections();
    }
  });

  it("OpenAPI names for every path where it answers", async () => {
    const response = await fetch(`${originOf(status)}/openapi.json`);
    const { servers, paths } = (await response.json()) as {
      servers: [{ url: string }];
      paths: Record<string, Record<string, { servers?: [{ url: string }] }>>;
    };
    const told = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        route: `${method.toUpperCase()} ${path}`,
        server: (operation.servers ?? servers)[0].url,
      })),
    );
    expect(told.length).toBeGreaterThan(10);
    for (const { route, server } of told) {
      const owner = CATALOG.find(
        ({ trigger }) =>
          trigger.kind === "http" &&
          trigger.routes.some(({ method, path }) => `${method} ${openApiPath(path)}` === route),
      );
      expect(at[server], `${route} at ${server}`).toContain(owner?.name);
    }
    expect(new Set(told.map(({ server }) => server))).toEqual(new Set(Object.keys(at)));
  });

  it("every link of an answer leads to a route", async () => {
    const response = await fetch(`${originOf(submit)}/v1/analysis`, {
      method: "POST",
      headers: { "x-api-key": `ks_${"a".repeat(32)}`, "content-type": "application/json" },
      body: JSON.stringify({ url: "https://media.example.com/talk.mp4" }),
    });
    expect(response.status).toBe(202);
    const { links } = AnalysisResponse.parse(await response.json());
    for (const [relation, link] of Object.entries(links)) {
      const [server, names] = Object.entries(at).find(([one]) => link.startsWith(`${one}/`)) ?? [];
      const path = link.slice(server?.length);
      const answers = (names ?? [])
        .map(functionSpec)
        .some(
          ({ trigger }) =>
            trigger.kind === "http" &&
            trigger.routes.some(
              (route) =>
                route.method === (relation === "cancel" ? "POST" : "GET") &&
                routePattern(route.path).test(path),
            ),
        );
      expect(answers, `${relation}: ${link}`).toBe(true);
    }
  });
});

// Stands for the front of Cloud Run: one address for all functions of the catalog. It decides
// which function a request is for and whether the caller may reach it, starts instances, and
// keeps their limits.
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { availableParallelism } from "node:os";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FunctionSpec } from "#functions/catalog.ts";
import { listen, stop } from "../httpServer.ts";
import { checkAccess } from "./access.ts";
import type { AccessOptions } from "./access.ts";
import { startInstance } from "./instance.ts";
import type { InstanceOptions } from "./instance.ts";
import { createPool } from "./pool.ts";
import type { Lease, Pool } from "./pool.ts";
import { proxy } from "./proxy.ts";
import type { ProxyOutcome } from "./proxy.ts";
import { createRouter, FUNCTION_PREFIX } from "./routes.ts";

export interface FrontOptions extends AccessOptions {
  catalog: readonly FunctionSpec[];
  /** The whole environment of an instance, but for PORT, FUNCTION_TARGET and K_SERVICE. */
  environment(spec: FunctionSpec): Record<string, string>;
  /** Default: a free one. */
  port?: number;
  /** What an instance runs; default the functions framework with local/functionHost.ts. */
  command?: readonly string[];
  /** Where an instance's output goes; default this process's standard error. */
  output?(spec: FunctionSpec): InstanceOptions["output"];
  /** Where instances have their temporary files, each its own; default this process's place. */
  scratchRoot?: string;
  /** Instances of one function; default as many as there are cores, at least 2. */
  maxInstancesPerFunction?: number;
  /** How long a request waits for an instance; default 10 s, and 60 s for messages. */
  maxWaitMs?: number;
  /** Between SIGTERM and SIGKILL; default 10 s. */
  graceMs?: number;
  startTimeoutMs?: number;
  /** Until it resolves requests wait: what instances need is not all there. Default: at once. */
  instancesMayStart?: Promise<void>;
}

export interface InstanceInfo {
  function: string;
  pid: number;
  inFlight: number;
}

export interface Front {
  origin: string;
  /** The function's own address, and the audience of tokens for it. */
  urlOf: (functionName: string) => string;
  instances: () => InstanceInfo[];
  /** Has the code of all functions loaded anew. @returns how many instances were told to end for it */
  replaceInstances: () => number;
  close(): Promise<void>;
}

/** The framework's own command, as on Cloud Run; only the source differs. */
const COMMAND = [
  process.execPath,
  "--import",
  new URL("preload.ts", import.meta.url).href,
  join(
    dirname(createRequire(import.meta.url).resolve("@google-cloud/functions-framework")),
    "main.js",
  ),
];
const FUNCTION_SOURCE = fileURLToPath(new URL("../functionHost.ts", import.meta.url));

/** Cloud Run takes no larger request over HTTP/1. */
const MAX_REQUEST_BYTES = 32 * 1024 ** 2;
const MAX_WAITING = 1_000;

export const startFront = async (options: FrontOptions): Promise<Front> => {
  const maxInstances = options.maxInstancesPerFunction ?? Math.max(2, availableParallelism());
  const route = createRouter(options.catalog);
  const pools = new Map<string, Pool>();
  const urlOf = (name: string): string => `${origin}${FUNCTION_PREFIX}${name}`;

  const poolOf = (spec: FunctionSpec): Pool => {
    const known = pools.get(spec.name);
    if (known) return known;
    // A pushed message is better kept waiting than refused: every refusal counts as a delivery.
    const defaultWaitMs = spec.trigger.kind === "http" ? 10_000 : 60_000;
    const pool = createPool({
      spec,
      maxInstances,
      maxWaiting: MAX_WAITING,
      maxWaitMs: options.maxWaitMs ?? defaultWaitMs,
      start: async () => {
        await options.instancesMayStart;
        return startInstance({
          command: options.command ?? COMMAND,
          env: {
            ...options.environment(spec),
            FUNCTION_SOURCE,
            FUNCTION_TARGET: spec.name,
            K_SERVICE: spec.name,
            K_REVISION: "local",
          },
          output: options.output?.(spec) ?? process.stderr.fd,
          startTimeoutMs: options.startTimeoutMs ?? 20_000,
          ...(options.scratchRoot === undefined ? {} : { scratchRoot: options.scratchRoot }),
        });
      },
    });
    pools.set(spec.name, pool);
    return pool;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const routed = route(request.method ?? "GET", request.url ?? "/");
    if (routed.kind === "not_found") return refuse(response, 404, "There is nothing here.");
    if (routed.kind === "wrong_method") {
      response.setHeader("Allow", routed.allow.join(", "));
      return refuse(response, 405, `Use ${routed.allow.join(" or ")}.`);
    }
    const { spec, path } = routed;
    let { headers } = request;
    if (!spec.public) {
      const access = await checkAccess(headers, urlOf(spec.name), options);
      if (access.kind === "refused") return refuse(response, access.status, access.reason);
      ({ headers } = access);
    }
    if (Number(headers["content-length"] ?? 0) > MAX_REQUEST_BYTES) {
      return refuse(response, 413, `A request has at most ${MAX_REQUEST_BYTES} bytes.`);
    }
    const pool = poolOf(spec);
    let outcome: ProxyOutcome = "unreachable";
    // An instance may have ended unnoticed since its last request; the next one has not.
    for (let attempt = 1; attempt <= 2 && outcome === "unreachable"; attempt++) {
      const lease = await pool.lease();
      if (lease.kind !== "leased") return refuseWithoutInstance(response, lease);
      const timeoutMs = spec.timeoutSec * 1000;
      const { port } = lease.instance;
      outcome = await proxy(request, response, { port, path, headers, timeoutMs });
      // It is ending, or stuck in a way that nothing gets out of; the next lease is another's.
      if (outcome === "unreachable") await lease.instance.stop(0);
      if (outcome === "instance_failed") pool.suspect(lease.instance);
      lease.release();
    }
    if (outcome === "timeout") refuse(response, 504, "The function took too long.");
    if (outcome === "instance_failed" || outcome === "unreachable") {
      refuse(response, 503, "The instance failed.");
    }
  };

  const server = createServer((request, response) => {
    void serve(request, response).catch((error: unknown) => {
      console.error("front:", error);
      refuse(response, 500, "The front failed.");
    });
  });
  // Nothing is timed out here but by the function's own limit.
  server.requestTimeout = 0;
  const origin = await listen(server, options.port);

  const graceMs = options.graceMs ?? 10_000;

  return {
    origin,
    urlOf,
    replaceInstances: () =>
      [...pools.values()].reduce((count, pool) => count + pool.replace(graceMs), 0),
    instances: () =>
      [...pools].flatMap(([name, pool]) =>
        pool.instances().map(({ pid, inFlight }) => ({ function: name, pid, inFlight })),
      ),
    close: async () => {
      // No new requests; those under way may end while their instance does.
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...pools.values()].map((pool) => pool.close(graceMs)));
      await stop(server);
      await closed;
    },
  };
};

const refuseWithoutInstance = (
  response: ServerResponse,
  lease: Exclude<Lease, { kind: "leased" }>,
): void => {
  switch (lease.kind) {
    case "overloaded":
      response.setHeader("Retry-After", "1");
      return refuse(response, 429, "No instance is free.");
    case "broken":
      return refuse(response, 503, lease.reason);
    case "closed":
      return refuse(response, 503, "The service is stopping.");
  }
};

/** A problem document (RFC 9457); nothing where an answer is under way. */
const refuse = (response: ServerResponse, status: number, detail: string): void => {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "Content-Type": "application/problem+json", Connection: "close" });
  response.end(JSON.stringify({ type: "about:blank", title: TITLES[status], status, detail }));
};

const TITLES: Record<number, string> = {
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  429: "Too Many Requests",
  500: "Internal Server Error",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

// Registers one function with the framework: only its own code is loaded, and its runtime is built
// on the first request, so that an instance answers soon after its process starts. The environment
// is read at once: an instance that lacks something must not start, so that the deploy fails.
import * as ff from "@google-cloud/functions-framework";
import { subscribe } from "node:diagnostics_channel";
import { loadConfig } from "#shared/cloud/config.ts";
import { functionSpec } from "./catalog.ts";
import { STAGES, type Stage } from "#shared/contract/stages.ts";
import { abortOnSignal } from "./signals.ts";
import { STAGE_LOADERS } from "./stages.ts";
import { type Overrides, type Runtime, createRuntime } from "./runtime.ts";

export type Handler = (req: ff.Request, res: ff.Response) => Promise<void>;

const loadStage = async (stage: Stage) => {
  const [{ define }, { taskHandler }] = await Promise.all([
    STAGE_LOADERS[stage](),
    import("./task.ts"),
  ]);
  return { create: (runtime: Runtime): Handler => taskHandler(runtime, define(runtime)) };
};

const LOADERS: Record<string, () => Promise<{ create(runtime: Runtime): Handler }>> = {
  submit: () => import("./submit.ts"),
  status: () => import("./status.ts"),
  ...Object.fromEntries(STAGES.map((stage) => [stage, () => loadStage(stage)])),
  notify: () => import("./notify.ts"),
  "dead-letter": () => import("./deadLetter.ts"),
  sweep: () => import("./sweep.ts"),
  collect: () => import("./collect.ts"),
};

const canBeDecoded = (path: string): boolean => {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false; // a URIError: what the % stand for is no UTF-8
  }
};

/**
 * The framework answers malformed JSON, a broken gzip body and `%zz` in a path with a page of HTML
 * before a function sees them, unpacks a small body to a gigabyte, and reads as much of anybody's.
 * Bodies are ours to read and to decode: a caller's is hidden from the framework, and a push is
 * plain bytes to it. A path that cannot be decoded means itself.
 * @param hideBodies where anyone may call; the bodies are then still to be read from the request
 */
export const leaveRequestsAlone = (hideBodies: boolean) =>
  subscribe("http.server.request.start", (event) => {
    const { request } = event as { request: ff.Request };
    request.headers["content-type"] = "application/octet-stream";
    delete request.headers["content-encoding"];
    if (hideBodies) {
      delete request.headers["content-length"];
      delete request.headers["transfer-encoding"];
    }
    const [path = "", ...query] = request.url.split("?");
    if (!canBeDecoded(path)) request.url = [path.replaceAll("%", "%25"), ...query].join("?");
  });

/**
 * The framework's own listeners end the process at once on SIGTERM. From the first request on, a
 * running task first gives its lease back.
 */
const takeOverSignals = (shutdown: AbortController, idle: () => Promise<void>) => {
  process.removeAllListeners("SIGTERM");
  process.removeAllListeners("SIGINT");
  abortOnSignal(shutdown, () => void idle().finally(() => process.exit(0)));
};

/**
 * @param target a name of the catalog
 * @throws {Error} for a name that is not there; with every variable that is missing or wrong
 */
export const serve = (target: string, overrides: Overrides = {}): void => {
  const spec = functionSpec(target);
  const load = LOADERS[spec.name];
  if (!load) throw new Error(`The function "${spec.name}" has no code.`);
  const config = loadConfig(overrides.env);
  leaveRequestsAlone(spec.public);

  const running = new Set<Promise<void>>();
  const shutdown = new AbortController();
  let handler: Promise<Handler> | undefined;

  const start = async (): Promise<Handler> => {
    takeOverSignals(shutdown, async () => {
      await Promise.allSettled(running);
    });
    const { create } = await load();
    return create(createRuntime(spec, config, shutdown.signal, overrides));
  };

  ff.http(target, async (req, res) => {
    handler ??= start();
    const work = handler.then((handle) => handle(req, res));
    running.add(work);
    try {
      await work;
    } finally {
      running.delete(work);
    }
  });
};

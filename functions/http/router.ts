// The routes of one HTTP function: finds the handler, reads the body, answers errors as problems.
import type { Request, Response } from "@google-cloud/functions-framework";
import { randomUUID } from "node:crypto";
import { StageError, describeError } from "#shared/contract/errors.ts";
import type { Log } from "#shared/pipeline/log.ts";
import type { Route } from "#functions/catalog.ts";
import { routePattern } from "#functions/routePattern.ts";
import { toProblem } from "./problem.ts";

export interface Call {
  params: Record<string, string>;
  query: Record<string, unknown>;
  /** The body's JSON; `undefined` where there is none. @throws {StageError} */
  json(): Promise<unknown>;
  req: Request;
  res: Response;
  requestId: string;
  log: Log;
}

export type RouteHandler = (call: Call) => Promise<void>;

const MAX_BODY_BYTES = 1024 * 1024;

/** At most so much of it; the rest is let pass by, so that the caller hears the answer. */
const readBody = async (req: Request): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    sizeBytes += (chunk as Buffer).length;
    if (sizeBytes > MAX_BODY_BYTES) {
      req.resume();
      throw new StageError("body_too_large");
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
};

const readJson = async (req: Request): Promise<unknown> => {
  try {
    const body = await readBody(req);
    return body.length === 0 ? undefined : JSON.parse(body.toString("utf8"));
  } catch (cause) {
    if (cause instanceof StageError) throw cause;
    // No JSON, or a caller that left in the middle of it.
    throw new StageError("malformed_json", undefined, { cause });
  }
};

const safeId = /^[\w.:-]{1,128}$/;

/** The caller's request id, where it is one; else the trace's; else a new one. */
const requestIdOf = (req: Request): string => {
  const given = req.get("x-request-id") ?? req.get("x-cloud-trace-context")?.split("/")[0];
  return given && safeId.test(given) ? given : randomUUID();
};

/**
 * @param routes   the function's routes, as its catalog entry lists them
 * @param handlers by method and path without the version, such as `GET /analysis`
 * @throws {Error} at start, where a route has no handler
 */
export const createRouter = (
  routes: readonly Route[],
  handlers: Record<string, RouteHandler>,
  log: Log,
): ((req: Request, res: Response) => Promise<void>) => {
  const table = routes.map(({ method, path }) => {
    const handler = handlers[`${method} ${path.replace(/^\/v1/, "")}`];
    if (!handler) throw new Error(`No handler for ${method} ${path}.`);
    return { method, pattern: routePattern(path), handler };
  });

  const dispatch = async (call: Call) => {
    const matching = table.filter(({ pattern }) => pattern.test(call.req.path));
    if (matching.length === 0) throw new StageError("not_found");
    const method = call.req.method === "HEAD" ? "GET" : call.req.method;
    const found = matching.find((route) => route.method === method);
    if (!found) {
      call.res.set("Allow", matching.map((route) => route.method).join(", "));
      throw new StageError("method_not_allowed");
    }
    const groups = found.pattern.exec(call.req.path)?.groups ?? {};
    for (const [name, value] of Object.entries(groups))
      call.params[name] = decodeURIComponent(value);
    await found.handler(call);
  };

  return async (req, res) => {
    const requestId = requestIdOf(req);
    res.set("X-Request-Id", requestId);
    res.set("X-Content-Type-Options", "nosniff");
    res.set("Cache-Control", "no-store");
    const call: Call = {
      params: {},
      query: { ...req.query },
      json: () => readJson(req),
      req,
      res,
      requestId,
      log: log.with({ requestId }),
    };
    try {
      await dispatch(call);
    } catch (error) {
      const problem = toProblem(error, requestId);
      if (problem.status >= 500) call.log.error("request failed", { error: forTheLog(error) });
      if (res.headersSent) {
        res.destroy();
        return;
      }
      if (error instanceof StageError && error.retryAfterSec !== undefined)
        res.set("Retry-After", String(Math.ceil(error.retryAfterSec)));
      if (problem.status === 401) res.set("WWW-Authenticate", "Bearer");
      res.status(problem.status).type("application/problem+json").send(JSON.stringify(problem));
    }
  };
};

/** With its causes, which tell what was away; with the stack of what nobody foresaw. */
const forTheLog = (error: unknown): string =>
  error instanceof Error && !(error instanceof StageError)
    ? `${describeError(error)}\n${error.stack}`
    : describeError(error);

// The HTTP API that ConvexHttpClient speaks: one POST per call. What a function throws is an
// answer of its own (status 560); every other status says that nothing was run.
import type { IncomingMessage, ServerResponse } from "node:http";
import { timingSafeEqual } from "node:crypto";
import type { UserIdentity } from "convex/server";
import { z } from "zod";
import { pathOf, readBody } from "../httpServer.ts";
import { AuthFailure } from "./identity.ts";
import type { Verify } from "./identity.ts";
import { Args, PositionalArgs } from "./protocol.ts";
import { errorText, noSuchFunction } from "./runtime.ts";
import type { ConvexRuntime, FunctionKind, Outcome } from "./runtime.ts";
import { decodeTs, encodeTs } from "./timestamp.ts";

const STATUS_FUNCTION_FAILED = 560;
/** Convex takes arguments of 16 MiB. */
const MAX_BODY_BYTES = 17 * 1024 ** 2;

const CallBody = z.object({
  path: z.string().min(1).max(512),
  args: z.union([PositionalArgs, Args]),
  ts: z.string().optional(),
  componentPath: z.string().optional(),
});

const ENDPOINTS: Record<string, FunctionKind | "any" | undefined> = {
  "/api/query": "query",
  "/api/query_at_ts": "query",
  "/api/mutation": "mutation",
  "/api/action": "action",
  "/api/function": "any",
};

/** Pages of any origin may call, as with Convex: who calls is told by a header, never by a cookie. */
export const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "Authorization, Content-Type, Convex-Client",
  "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
  "Access-Control-Max-Age": "86400",
};

/** A request that was not run, and the status and code that say why. */
class Refused extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface HttpApiOptions {
  runtime: ConvexRuntime;
  verify: Verify;
  /** Opens internal functions to `Authorization: Convex <key>`, as a deploy key does. */
  adminKey: string | undefined;
}

export const createHttpApi = ({ runtime, verify, adminKey }: HttpApiOptions) => {
  const callerOf = async (request: IncomingMessage): Promise<Caller> => {
    const header = request.headers.authorization;
    if (header === undefined) return { identity: null, isAdmin: false };
    const [scheme = "", credential = ""] = header.split(" ", 2);
    if (scheme === "Bearer") {
      return { identity: (await verify(credential)).identity, isAdmin: false };
    }
    // `key` or `key:<base64 of the identity to act as>`; our keys have no colon.
    const [key = "", actingAs] = credential.split(":", 2);
    if (scheme === "Convex" && adminKey !== undefined && isSame(key, adminKey)) {
      return { identity: actingAs === undefined ? null : impersonated(actingAs), isAdmin: true };
    }
    throw new AuthFailure("The Authorization header is neither a bearer token nor the admin key.");
  };

  const run = async (
    endpoint: FunctionKind | "any",
    request: IncomingMessage,
  ): Promise<Outcome> => {
    const { identity, isAdmin } = await callerOf(request);
    const body = CallBody.safeParse(await readJson(request));
    if (!body.success) throw new Refused(400, "BadJsonBody", z.prettifyError(body.error));
    const { path, ts, componentPath } = body.data;
    if (componentPath) {
      throw new Refused(403, "Forbidden", "Functions of components are not callable from outside.");
    }
    if (ts !== undefined && (decodeTs(ts) ?? 2n ** 64n) > runtime.latestTs()) {
      throw new Refused(400, "BadTimestamp", "The timestamp is none that this server gave.");
    }
    const args = Array.isArray(body.data.args) ? (body.data.args[0] ?? {}) : body.data.args;
    const kind = await runtime.find(path, isAdmin ? "any" : "public");
    if (kind === undefined) return { ok: false, message: noSuchFunction(path) };
    if (endpoint !== "any" && endpoint !== kind) {
      return { ok: false, message: `${path} is a ${kind}, not a ${endpoint}.` };
    }
    const call = { path, args };
    switch (kind) {
      case "query": {
        // The newest snapshot also answers `query_at_ts`: nothing here remembers older ones.
        const { results } = await runtime.runQueries(() => [call], identity);
        return results[0]!.outcome;
      }
      case "mutation": {
        const { outcome } = await runtime.runMutation(call, identity);
        return outcome;
      }
      case "action":
        return await runtime.runAction(call, identity);
      default:
        return kind satisfies never;
    }
  };

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { "Content-Type": "application/json", ...CORS });
      response.end(JSON.stringify(body));
    };
    try {
      const pathname = pathOf(request);
      const endpoint = Object.hasOwn(ENDPOINTS, pathname) ? ENDPOINTS[pathname] : undefined;
      if (request.method === "OPTIONS") {
        response.writeHead(204, CORS).end();
      } else if (pathname === "/" || pathname === "/version") {
        response.writeHead(200, { "Content-Type": "text/plain", ...CORS }).end("local");
      } else if (request.method !== "POST") {
        throw new Refused(405, "MethodNotAllowed", "Use POST.");
      } else if (pathname === "/api/query_ts") {
        answer(200, { ts: encodeTs(runtime.latestTs()) });
      } else if (pathname === "/api/debug_event") {
        answer(200, {});
      } else if (endpoint === undefined) {
        throw new Refused(404, "NotFound", `There is nothing at ${pathname}.`);
      } else {
        const outcome = await run(endpoint, request);
        if (outcome.ok) answer(200, { status: "success", value: outcome.value, logLines: [] });
        else {
          const { message, data: errorData } = outcome;
          const errorMessage = errorText(message);
          // Without data the key is left out: the client tells by it which error to throw.
          const body = { status: "error", errorMessage, errorData, logLines: [] };
          answer(STATUS_FUNCTION_FAILED, body);
        }
      }
    } catch (error) {
      if (error instanceof Refused) {
        answer(error.status, { code: error.code, message: error.message });
      } else if (error instanceof AuthFailure) {
        answer(401, { code: "Unauthenticated", message: error.message });
      } else throw error;
    }
  };
};

interface Caller {
  identity: UserIdentity | null;
  isAdmin: boolean;
}

const isSame = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

const Impersonated = z.looseObject({ subject: z.string(), issuer: z.string() });

const impersonated = (encoded: string): UserIdentity => {
  try {
    const json: unknown = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
    const { subject, issuer, ...rest } = Impersonated.parse(json);
    return { ...rest, subject, issuer, tokenIdentifier: `${issuer}|${subject}` };
  } catch (cause) {
    throw new AuthFailure("The identity to act as is not readable.", { cause });
  }
};

const readJson = async (request: IncomingMessage): Promise<unknown> => {
  const body = await readBody(request, MAX_BODY_BYTES);
  if (!body) throw new Refused(413, "TooLarge", `A body has at most ${MAX_BODY_BYTES} bytes.`);
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refused(400, "BadJsonBody", "The body is not JSON.");
  }
};

// The guarded fetch: the only way out to an address that a stranger named. It checks where a name
// leads and connects to that very address, again for every redirect, and caps time and bytes.
// Resolver and dialer are injected, so that tests and the local cloud serve stand-ins without a
// switch in here.
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { Agent, type buildConnector } from "undici";
import { StageError } from "../contract/errors.ts";
import { checkUrl, isIpLiteral, isPublicAddress } from "./address.ts";
import { capBody } from "./responseBody.ts";

/** How names become sockets. The dialer does TLS where the protocol is `https:`. */
export interface Net {
  /** Every address of a name. */
  resolve(hostname: string): Promise<string[]>;
  /** A socket that is ready to be written to, to this address and no other. */
  connect(target: {
    hostname: string;
    address: string;
    port: number;
    protocol: "http:" | "https:";
    signal: AbortSignal;
  }): Promise<Socket>;
}

export interface FetchLimits {
  /** From the start of the look-up to a usable socket. */
  connectMs: number;
  /** From the request to the answer's head. */
  headersMs: number;
  /** Between two pieces of the body. */
  idleMs: number;
  /** The whole request with its body and its redirects. */
  totalMs: number;
  /** Bytes of the body, after decompression. */
  maxBytes: number;
  /** Decompressed bytes for each compressed one. */
  maxRatio: number;
  maxRedirects: number;
  /** Sockets open to one host. */
  connectionsPerHost: number;
}

const DEFAULT_LIMITS: FetchLimits = {
  connectMs: 10_000,
  headersMs: 20_000,
  idleMs: 20_000,
  totalMs: 120_000,
  maxBytes: 64 * 2 ** 20,
  maxRatio: 100,
  maxRedirects: 5,
  connectionsPerHost: 32,
};

export interface FetchRequest {
  /** Default `GET`. */
  method?: "GET" | "HEAD" | "POST";
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
  /** Over the fetch's own limits, for this request. */
  totalMs?: number;
  maxBytes?: number;
  /** 0 hands a redirect back as it is. */
  maxRedirects?: number;
}

export interface FetchResponse {
  status: number;
  /** Names in lower case; several values joined by a comma. */
  headers: Record<string, string>;
  /** Fails with a `StageError`. Whoever does not read it to the end destroys it. */
  body: Readable;
  /** The address that answered, after redirects. */
  url: string;
}

/**
 * Any status is an answer; see `expectOk` for turning one into an error.
 * @throws {StageError} `invalid_url`, `private_address`, `source_unreachable`, `source_failed`,
 *   `video_too_large`; the reason of `signal` when that aborts
 */
export type GuardedFetch = (url: string, request?: FetchRequest) => Promise<FetchResponse>;

export interface ClosableFetch {
  fetch: GuardedFetch;
  /** Ends kept sockets and requests under way. */
  close: () => Promise<void>;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Every address must be public: one private among them is how rebinding begins. */
const checkedAddresses = async (net: Net, hostname: string): Promise<string[]> => {
  const addresses = isIpLiteral(hostname) ? [hostname] : await net.resolve(hostname);
  if (addresses.length === 0) throw new StageError("source_unreachable");
  if (!addresses.every(isPublicAddress)) throw new StageError("private_address");
  return addresses;
};

/** Resolves once, checks, and dials what was checked; tries at most three of several addresses. */
const dial = async (
  net: Net,
  connectMs: number,
  origin: { hostname: string; port: string; protocol: string },
): Promise<Socket> => {
  const { hostname } = origin;
  const signal = AbortSignal.timeout(connectMs);
  const protocol = origin.protocol === "https:" ? "https:" : "http:";
  const port = origin.port === "" ? (protocol === "https:" ? 443 : 80) : Number(origin.port);
  const late = Promise.withResolvers<never>();
  const expire = () => late.reject(signal.reason);
  signal.addEventListener("abort", expire, { once: true });
  try {
    const addresses = await Promise.race([checkedAddresses(net, hostname), late.promise]);
    let failure: unknown;
    for (const address of addresses.slice(0, 3)) {
      try {
        return await net.connect({ hostname, address, port, protocol, signal });
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  } finally {
    signal.removeEventListener("abort", expire);
  }
};

/** The connector's callback, called once with how the promise ended. */
const answerWith = async (
  dialed: Promise<Socket>,
  callback: buildConnector.Callback,
): Promise<void> => {
  const outcome = await dialed.then(
    (socket): [null, Socket] => [null, socket],
    (error: Error): [Error, null] => [error, null],
  );
  callback(...outcome);
};

/** A failure of the way there as ours; what the caller's own signal did stays what it is. */
const asNetworkError = (error: unknown, callerSignal?: AbortSignal): unknown => {
  if (callerSignal?.aborted) return callerSignal.reason;
  if (error instanceof StageError) return error;
  return new StageError("source_unreachable", undefined, { cause: error });
};

const flatten = (headers: Record<string, string | string[] | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    ),
  );

/** Bodies are only followed to the same origin, and credentials never leave it. */
const redirected = (from: URL, location: string, status: number, request: FetchRequest) => {
  const to = checkUrl(location, from.href);
  const method = request.method ?? "GET";
  const toGet = status === 303 || (status <= 302 && method === "POST");
  const { body, ...rest } = request;
  const crossed = to.origin !== from.origin;
  if (crossed && method === "POST" && !toGet) {
    throw new StageError("source_failed", "The server sends the request on to another host.");
  }
  const headers = Object.entries(request.headers ?? {}).filter(
    ([name]) => !crossed || !/^(authorization|cookie|client-id)$/i.test(name),
  );
  const next: FetchRequest = { ...rest, headers: Object.fromEntries(headers) };
  if (toGet) next.method = "GET";
  else if (body !== undefined) next.body = body;
  return { url: to, request: next };
};

/**
 * A fetch that reads public http and https addresses only.
 * @param net    how names become sockets: `publicNet` in production
 * @param limits over `DEFAULT_LIMITS`
 */
export const createGuardedFetch = (net: Net, limits: Partial<FetchLimits> = {}): ClosableFetch => {
  const caps = { ...DEFAULT_LIMITS, ...limits };
  const agent = new Agent({
    connections: caps.connectionsPerHost,
    pipelining: 1,
    allowH2: false,
    headersTimeout: caps.headersMs,
    bodyTimeout: caps.idleMs,
    keepAliveTimeout: 10_000,
    maxHeaderSize: 64 * 1024,
    connect: (options, callback) => void answerWith(dial(net, caps.connectMs, options), callback),
  });

  const fetch: GuardedFetch = async (address, first = {}) => {
    const callerSignal = first.signal;
    callerSignal?.throwIfAborted();
    const deadline = AbortSignal.timeout(first.totalMs ?? caps.totalMs);
    const signal = callerSignal ? AbortSignal.any([callerSignal, deadline]) : deadline;
    const maxRedirects = first.maxRedirects ?? caps.maxRedirects;
    let at = { url: checkUrl(address), request: first };
    for (let hop = 0; ; hop += 1) {
      const { url, request } = at;
      try {
        const answer = await agent.request({
          origin: url.origin,
          path: url.pathname + url.search,
          method: request.method ?? "GET",
          headers: {
            "user-agent": "KlipStream/1.0",
            accept: "*/*",
            "accept-encoding": "identity",
            ...request.headers,
          },
          body: request.body ?? null,
          signal,
        });
        const headers = flatten(answer.headers);
        const location = headers["location"];
        if (REDIRECTS.has(answer.statusCode) && location !== undefined && maxRedirects > 0) {
          // Read to the end where it is short, so that the socket can be used again.
          await answer.body.dump({ limit: 16_384, signal });
          if (hop >= maxRedirects) {
            throw new StageError("invalid_url", "The address redirects in a circle.");
          }
          at = redirected(url, location, answer.statusCode, request);
          continue;
        }
        const body = capBody(answer.body, {
          headers,
          hasBody: request.method !== "HEAD",
          status: answer.statusCode,
          maxBytes: request.maxBytes ?? caps.maxBytes,
          maxRatio: caps.maxRatio,
          mapError: (error) => asNetworkError(error, callerSignal),
        });
        return { status: answer.statusCode, headers, body, url: url.href };
      } catch (error) {
        throw asNetworkError(error, callerSignal);
      }
    }
  };
  return { fetch, close: () => agent.destroy() };
};

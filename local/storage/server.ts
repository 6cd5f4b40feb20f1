// Cloud Storage on this machine: answers the official client, and V4 signed URLs, over files in a
// folder. Point the client here with STORAGE_EMULATOR_HOST or `apiEndpoint`.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { inspect } from "node:util";
import { isOwnHost, listen, stop } from "../httpServer.ts";
import { openCatalog } from "./catalog.ts";
import { openContent } from "./content.ts";
import { corsHeaders } from "./cors.ts";
import { type Exchange, header } from "./exchange.ts";
import { failureJson, failureXml, StorageFailure, toFailure } from "./failure.ts";
import { createJsonApi } from "./jsonApi.ts";
import { decodePart } from "./names.ts";
import { createObjects } from "./objects.ts";
import type { VerifySigner } from "./signing.ts";
import { createUploads } from "./uploads.ts";
import { createXmlApi, splitPath } from "./xmlApi.ts";

export interface StorageOptions {
  /** Folder of the data; made where it is missing. One process at a time. */
  dataDir: string;
  /** Default 0, a free one. */
  port?: number;
  /** Public keys of the accounts whose signed URLs are honoured. */
  verifySigner: VerifySigner;
  /** Buckets that are made where they are missing. */
  buckets?: string[];
  /** Milliseconds since 1970; default the machine's clock. */
  now?: () => number;
  /** Hears of requests that failed for a reason of ours; default standard error. */
  report?: (sentence: string, cause: unknown) => void;
}

export interface StorageServer {
  /** `http://host:port`, for STORAGE_EMULATOR_HOST and as origin of signed URLs. */
  origin: string;
  close(): Promise<void>;
}

type Route = { api: "json"; parts: string[] } | { api: "upload"; bucket: string } | { api: "xml" };

/** The JSON API has two spellings (with and without `/storage/v1`); any other path is an object's. */
const routeOf = (path: string): Route => {
  const upload = /^\/(?:resumable\/)?upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(path);
  if (upload) return { api: "upload", bucket: upload[1] ?? "" };
  const json = /^(?:(?:\/download)?\/storage\/v1)?\/b(?:\/(.*))?$/.exec(path);
  if (json) return { api: "json", parts: json[1] === undefined ? [] : json[1].split("/") };
  return { api: "xml" };
};

/**
 * Node drops the rest of a body only where nobody has begun to read it; a client that is sending one
 * would wait, and not hear the answer, until the connection is given up.
 */
const readToEnd = async (request: IncomingMessage): Promise<void> => {
  const chunks = request[Symbol.asyncIterator]();
  try {
    while (!(await chunks.next()).done);
  } catch {
    // The client left: nothing more is to be read.
  }
};

/**
 * Starts storage and clears what a killed process left half-written.
 * @throws {Error} when the port is taken or another process uses the data folder
 */
export const startStorage = async (options: StorageOptions): Promise<StorageServer> => {
  const { dataDir, port, now = Date.now } = options;
  const report =
    options.report ??
    ((sentence: string, cause: unknown) =>
      process.stderr.write(`Storage: ${sentence} ${inspect(cause)}\n`));
  const catalog = openCatalog(dataDir, now);
  const files = openContent(dataDir);
  const objects = createObjects(catalog, files, now);
  const uploads = createUploads(catalog, files, objects, now);
  const deps = { catalog, files, objects, uploads };
  const json = createJsonApi(deps);
  const xml = createXmlApi(deps, options.verifySigner, now);
  const underWay = new Set<Promise<void>>();

  const answer = async (exchange: Exchange, route: Route): Promise<void> => {
    const { request, response, method, path, query } = exchange;
    const uploadId = query.get("upload_id");
    const from = header(request, "origin");
    if (route.api === "xml") {
      const bucket = catalog.bucket(splitPath(path).bucket);
      const announced = header(request, "access-control-request-method");
      if (method === "OPTIONS" && announced !== undefined) {
        const wanted = header(request, "access-control-request-headers") ?? "";
        const allowed = corsHeaders(bucket, from ?? "", announced, wanted);
        response.writeHead(200, { "content-length": "0", ...allowed }).end();
        return;
      }
      if (from !== undefined) {
        response.setHeaders(new Map(Object.entries(corsHeaders(bucket, from, method))));
      }
      return uploadId === null ? xml.route(exchange) : xml.continueUpload(exchange, uploadId);
    }
    if (uploadId !== null) {
      // A browser may continue the upload that was begun for its page, and nothing else.
      if (from !== undefined && from === uploads.find(uploadId).origin) {
        response.setHeader("access-control-allow-origin", from);
        response.setHeader("access-control-expose-headers", "location, range, content-length");
        if (method === "OPTIONS") {
          response.setHeader("access-control-allow-methods", "PUT, DELETE");
          response.setHeader("access-control-allow-headers", "content-range, content-type");
          response.writeHead(200, { "content-length": "0" }).end();
          return;
        }
      }
      return json.continueUpload(exchange, uploadId);
    }
    // The client sends `origin` when it begins an upload for a page; a page itself also says how.
    if (from !== undefined && header(request, "sec-fetch-mode") !== undefined) {
      throw new StorageFailure("accessDenied", "Web pages have no access to the JSON API.");
    }
    return route.api === "upload"
      ? json.upload(exchange, decodePart(route.bucket))
      : json.route(exchange, route.parts);
  };

  const fail = (exchange: Exchange, route: Route, error: unknown): void => {
    const { request, response, method } = exchange;
    const failure = toFailure(error, dataDir);
    const { status } = failure.failure;
    // A client that went away in the middle is no failure of ours.
    const left = response.destroyed || (request.destroyed && !request.complete);
    if (failure.kind === "internal" && !left) report("A request failed.", error);
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    if (status === 304 || method === "HEAD") {
      response.writeHead(status).end();
    } else if (route.api === "xml") {
      response
        .writeHead(status, { "content-type": "application/xml; charset=UTF-8" })
        .end(failureXml(failure));
    } else {
      response
        .writeHead(status, { "content-type": "application/json; charset=UTF-8" })
        .end(failureJson(failure));
    }
    void readToEnd(request);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = "/", ...search] = (request.url ?? "/").split("?");
    const sentHost = request.headers.host ?? "";
    const exchange: Exchange = {
      request,
      response,
      method: request.method ?? "GET",
      path,
      query: new URLSearchParams(search.join("?")),
      origin: `http://${sentHost}`,
    };
    const route = routeOf(path);
    try {
      if (!isOwnHost(sentHost)) {
        throw new StorageFailure("accessDenied", "This server has another name.");
      }
      await answer(exchange, route);
    } catch (error) {
      fail(exchange, route, error);
    }
  };

  const server = createServer(
    // Large objects take their time; idle connections outlive the client's own patience.
    { requestTimeout: 0, keepAliveTimeout: 75_000, maxHeaderSize: 64 * 1024 },
    (request, response) => {
      const handled = handle(request, response).finally(() => underWay.delete(handled));
      underWay.add(handled);
    },
  );

  const shutDown = async (): Promise<void> => {
    await stop(server);
    await Promise.allSettled(underWay);
    await uploads.close();
    catalog.close();
  };

  let origin: string;
  try {
    await files.sweep(catalog.isContent, (id) => catalog.upload(id)?.state === "open");
    for (const bucket of options.buckets ?? []) {
      if (!catalog.bucket(bucket)) objects.createBucket(bucket, {});
    }
    origin = await listen(server, port);
  } catch (error) {
    await shutDown();
    throw error;
  }
  let closed: Promise<void> | undefined;
  return {
    origin,
    close: () => (closed ??= shutDown()),
  };
};

// One HTTP request and its answer, with what both APIs need of them.
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { readBody } from "../httpServer.ts";
import type { StoredObject } from "./catalog.ts";
import type { ContentFiles } from "./content.ts";
import { StorageFailure } from "./failure.ts";
import type { UploadProgress } from "./uploads.ts";
import { parseRange } from "./ranges.ts";

const MAX_JSON_BYTES = 1024 * 1024;

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  method: string;
  /** As sent, percent-encoded, beginning with a slash. */
  path: string;
  query: URLSearchParams;
  /** This server, as the client addresses it: `http://127.0.0.1:4443`. */
  origin: string;
}

export const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(",") : value;
};

export const sendJson = ({ response }: Exchange, status: number, body: unknown): void => {
  response.writeHead(status, { "content-type": "application/json; charset=UTF-8" });
  response.end(JSON.stringify(body));
};

export const sendEmpty = (
  { response }: Exchange,
  status: number,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, { "content-length": "0", ...headers }).end();
};

/** A small JSON body; none is `{}`. @throws {StorageFailure} 400 */
export const readJson = async ({ request }: Exchange): Promise<unknown> => {
  const body = await readBody(request, MAX_JSON_BYTES);
  if (!body) throw new StorageFailure("badRequest", "The body is too large.");
  try {
    return JSON.parse(body.toString("utf8") || "{}");
  } catch (cause) {
    throw new StorageFailure("badRequest", "Parse Error", { cause });
  }
};

/** `x-goog-hash: crc32c=…,md5=…`, in one header or several. */
export const readHashes = (request: IncomingMessage): { crc32c?: string; md5?: string } => {
  const hashes: { crc32c?: string; md5?: string } = {};
  for (const part of (header(request, "x-goog-hash") ?? "").split(",")) {
    const [name, ...value] = part.trim().split("=");
    if (name === "crc32c" || name === "md5") hashes[name] = value.join("=");
  }
  const md5 = header(request, "content-md5");
  return md5 ? { ...hashes, md5 } : hashes;
};

/** The headers that tell of an object; values that no header can hold were refused on the way in. */
export const objectHeaders = (object: StoredObject): Record<string, string> => {
  const { fields, content } = object;
  const optional = {
    "cache-control": fields.cacheControl,
    "content-disposition": fields.contentDisposition,
    "content-language": fields.contentLanguage,
  };
  const headers: Record<string, string> = {
    "content-type": fields.contentType ?? "application/octet-stream",
    etag: content.md5
      ? `"${Buffer.from(content.md5, "base64").toString("hex")}"`
      : `"-${object.generation}"`,
    "last-modified": new Date(object.updatedMs).toUTCString(),
    "x-goog-generation": String(object.generation),
    "x-goog-metageneration": String(object.metageneration),
    "x-goog-storage-class": "STANDARD",
    "x-goog-hash": `crc32c=${content.crc32c}${content.md5 ? `,md5=${content.md5}` : ""}`,
    "x-goog-stored-content-encoding": fields.contentEncoding ?? "identity",
    "x-goog-stored-content-length": String(content.sizeBytes),
  };
  for (const [name, value] of Object.entries(optional)) if (value) headers[name] = value;
  for (const [name, value] of Object.entries(fields.metadata ?? {})) {
    headers[`x-goog-meta-${name}`] = value ?? "";
  }
  return headers;
};

/** Only what HTTP can carry; the rest of an object's metadata is left to the JSON API. */
const carried = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) =>
        /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value),
    ),
  );

/**
 * Sends an object's bytes, or the range asked for; for HEAD the headers alone. An object stored
 * with gzip is unpacked for a client that does not take gzip, and then sent whole.
 */
export const sendObject = async (
  { request, response, method }: Exchange,
  object: StoredObject,
  files: ContentFiles,
  override: Record<string, string> = {},
): Promise<void> => {
  const { content, fields } = object;
  const headers = carried({ ...objectHeaders(object), "accept-ranges": "bytes", ...override });
  if (header(request, "if-none-match")?.includes(headers["etag"] ?? "")) {
    response.writeHead(304, { etag: headers["etag"] ?? "" }).end();
    return;
  }
  const isGzip = fields.contentEncoding === "gzip";
  if (isGzip && !/\bgzip\b/.test(header(request, "accept-encoding") ?? "")) {
    response.writeHead(200, { ...headers, warning: "214 UploadServer gunzipped" });
    if (method === "HEAD") response.end();
    else await pipeline(files.read(content.id), createGunzip(), response);
    return;
  }
  if (fields.contentEncoding) headers["content-encoding"] = fields.contentEncoding;

  const range = parseRange(header(request, "range"), content.sizeBytes);
  if (range.kind === "unsatisfiable") {
    response.setHeader("content-range", `bytes */${content.sizeBytes}`);
    throw new StorageFailure("badRange", "The requested range cannot be satisfied.");
  }
  const [start, end] =
    range.kind === "part" ? [range.start, range.end] : [0, content.sizeBytes - 1];
  headers["content-length"] = String(end - start + 1);
  if (range.kind === "part")
    headers["content-range"] = `bytes ${start}-${end}/${content.sizeBytes}`;
  const status = range.kind === "part" ? 206 : 200;
  if (method === "HEAD" || content.sizeBytes === 0) {
    response.writeHead(status, headers).end();
    return;
  }
  const bytes = files.read(content.id, start, end);
  response.writeHead(status, headers);
  await pipeline(bytes, response);
};

/** How far an upload is: 308 with `Range`, or what the API says when it is whole. */
export const sendProgress = (
  exchange: Exchange,
  progress: UploadProgress,
  whole: (object: StoredObject) => void,
): void => {
  if (progress.kind === "complete") {
    whole(progress.object);
    return;
  }
  const { receivedBytes } = progress;
  sendEmpty(exchange, 308, receivedBytes > 0 ? { range: `bytes=0-${receivedBytes - 1}` } : {});
};

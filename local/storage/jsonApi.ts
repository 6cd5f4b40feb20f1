// The JSON API: what the official client speaks. Nobody is asked who they are; it listens on the
// loopback address and refuses web pages (see server.ts).
import type { Catalog, Fields } from "./catalog.ts";
import type { ContentFiles } from "./content.ts";
import { continueUpload } from "./continueUpload.ts";
import {
  type Exchange,
  header,
  readHashes,
  readJson,
  sendEmpty,
  sendJson,
  sendObject,
} from "./exchange.ts";
import { StorageFailure } from "./failure.ts";
import { listObjects } from "./listing.ts";
import { multipartBoundary, readMultipart } from "./multipart.ts";
import { decodePart, objectName } from "./names.ts";
import type { Objects } from "./objects.ts";
import { checkPreconditions, queryPreconditions } from "./preconditions.ts";
import { bucketResource, objectResource, readObjectResource } from "./resource.ts";
import type { Uploads } from "./uploads.ts";

export interface ApiDeps {
  catalog: Catalog;
  files: ContentFiles;
  objects: Objects;
  uploads: Uploads;
}

const MAX_COMPOSED = 32;

const wholeNumber = (query: URLSearchParams, name: string): number | undefined => {
  const value = query.get(name);
  if (value === null) return undefined;
  if (!/^\d{1,16}$/.test(value)) {
    throw new StorageFailure("badRequest", `Invalid value for ${name}: '${value.slice(0, 50)}'`);
  }
  return Number(value);
};

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};

export const createJsonApi = ({ catalog, files, objects, uploads }: ApiDeps) => {
  const sendResource = (exchange: Exchange, object: Parameters<typeof objectResource>[0]): void =>
    sendJson(exchange, 200, objectResource(object, exchange.origin));

  const listBuckets = (exchange: Exchange): void => {
    const { query, origin } = exchange;
    const limit = Math.max(1, Math.min(wholeNumber(query, "maxResults") ?? 1000, 1000));
    const prefix = query.get("prefix") ?? "";
    const found = objects.listBuckets(query.get("pageToken") ?? "", limit + 1);
    const items = found.slice(0, limit);
    sendJson(exchange, 200, {
      kind: "storage#buckets",
      items: items
        .filter(({ name }) => name.startsWith(prefix))
        .map((bucket) => bucketResource(bucket, origin)),
      ...(found.length > limit ? { nextPageToken: items.at(-1)?.name } : {}),
    });
  };

  const bucketRequest = async (exchange: Exchange, name: string): Promise<void> => {
    const { origin } = exchange;
    switch (exchange.method) {
      case "GET":
        return sendJson(exchange, 200, bucketResource(objects.bucket(name), origin));
      case "PATCH": {
        const change = asRecord(await readJson(exchange));
        return sendJson(exchange, 200, bucketResource(objects.patchBucket(name, change), origin));
      }
      case "DELETE":
        objects.deleteBucket(name);
        return sendEmpty(exchange, 204);
      default:
        throw new StorageFailure("methodNotAllowed", "This method is not allowed here.");
    }
  };

  const list = (exchange: Exchange, bucket: string): void => {
    const { query, origin } = exchange;
    objects.bucket(bucket);
    if (query.get("matchGlob"))
      throw new StorageFailure("notImplemented", "matchGlob is not done here.");
    const page = listObjects(catalog, bucket, {
      prefix: query.get("prefix") ?? "",
      delimiter: query.get("delimiter") ?? "",
      startOffset: query.get("startOffset") ?? "",
      endOffset: query.get("endOffset") ?? "",
      pageToken: query.get("pageToken") ?? "",
      maxResults: wholeNumber(query, "maxResults") ?? 1000,
      includeTrailingDelimiter: query.get("includeTrailingDelimiter") === "true",
    });
    sendJson(exchange, 200, {
      kind: "storage#objects",
      items: page.items.map((object) => objectResource(object, origin)),
      prefixes: page.prefixes,
      ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }),
    });
  };

  const objectRequest = async (exchange: Exchange, bucket: string, name: string): Promise<void> => {
    const { query, method } = exchange;
    const conditions = queryPreconditions(query);
    const generation = wholeNumber(query, "generation");
    switch (method) {
      case "GET":
      case "HEAD": {
        const object = objects.get(bucket, name, generation);
        checkPreconditions(conditions, object, "read");
        if (query.get("alt") === "media") return sendObject(exchange, object, files);
        return sendResource(exchange, object);
      }
      case "PATCH":
      case "PUT": {
        const { fields } = readObjectResource(await readJson(exchange));
        const mode = method === "PATCH" ? "merge" : "replace";
        return sendResource(exchange, objects.patch(bucket, name, fields, conditions, mode));
      }
      case "DELETE":
        await objects.delete(bucket, name, conditions, generation);
        return sendEmpty(exchange, 204);
      default:
        throw new StorageFailure("methodNotAllowed", "This method is not allowed here.");
    }
  };

  const copy = async (
    exchange: Exchange,
    verb: string,
    from: { bucket: string; name: string },
    to: { bucket: string; name: string },
  ): Promise<void> => {
    const { query } = exchange;
    const source = objects.get(from.bucket, from.name, wholeNumber(query, "sourceGeneration"));
    checkPreconditions(queryPreconditions(query, true), source);
    const { fields } = readObjectResource(await readJson(exchange));
    const object = await objects.copy(source, {
      ...to,
      name: objectName(to.name),
      conditions: queryPreconditions(query),
      // A body replaces the metadata, an empty one keeps that of the source.
      fields: Object.keys(fields).length > 0 ? fields : undefined,
    });
    if (verb === "copyTo") return sendResource(exchange, object);
    const size = String(object.content.sizeBytes);
    return sendJson(exchange, 200, {
      kind: "storage#rewriteResponse",
      totalBytesRewritten: size,
      objectSize: size,
      done: true,
      resource: objectResource(object, exchange.origin),
    });
  };

  const compose = async (exchange: Exchange, bucket: string, name: string): Promise<void> => {
    const body = asRecord(await readJson(exchange));
    const parts: unknown[] = Array.isArray(body["sourceObjects"]) ? body["sourceObjects"] : [];
    if (parts.length === 0 || parts.length > MAX_COMPOSED) {
      throw new StorageFailure("badRequest", `1 to ${MAX_COMPOSED} source objects are needed.`);
    }
    const sources = parts.map((part) => {
      const { name: from, generation } = asRecord(part);
      if (typeof from !== "string") throw new StorageFailure("badRequest", "A source has no name.");
      return objects.get(bucket, from, generation === undefined ? undefined : Number(generation));
    });
    const { fields } = readObjectResource(body["destination"]);
    const object = await objects.compose(sources, {
      bucket,
      name: objectName(name),
      fields,
      conditions: queryPreconditions(exchange.query),
    });
    return sendResource(exchange, object);
  };

  /** The rest of a path below `/b`, each part still encoded. */
  const route = async (exchange: Exchange, parts: string[]): Promise<void> => {
    const [bucket, kind, object, verb, ...target] = parts.map(decodePart);
    if (bucket === undefined || bucket === "") {
      if (exchange.method === "GET") return listBuckets(exchange);
      if (exchange.method !== "POST") {
        throw new StorageFailure("methodNotAllowed", "This method is not allowed here.");
      }
      const { name, ...config } = asRecord(await readJson(exchange));
      const made = objects.createBucket(typeof name === "string" ? name : "", config);
      return sendJson(exchange, 200, bucketResource(made, exchange.origin));
    }
    if (kind === undefined) return bucketRequest(exchange, bucket);
    if (kind !== "o") throw new StorageFailure("notImplemented", `'${kind}' is not done here.`);
    if (object === undefined) {
      if (exchange.method === "GET") return list(exchange, bucket);
      throw new StorageFailure("methodNotAllowed", "This method is not allowed here.");
    }
    if (verb === undefined) return objectRequest(exchange, bucket, object);
    if (exchange.method === "POST" && verb === "compose") return compose(exchange, bucket, object);
    const [b, toBucket, o, toObject] = target;
    if (
      exchange.method === "POST" &&
      (verb === "rewriteTo" || verb === "copyTo") &&
      b === "b" &&
      o === "o" &&
      toBucket !== undefined &&
      toObject !== undefined
    ) {
      const from = { bucket, name: object };
      return copy(exchange, verb, from, { bucket: toBucket, name: toObject });
    }
    throw new StorageFailure("notImplemented", `'${verb}' is not done here.`);
  };

  const beginUpload = async (exchange: Exchange, bucket: string): Promise<void> => {
    const { request, query, origin, path } = exchange;
    const sent = readObjectResource(await readJson(exchange));
    const type = header(request, "x-upload-content-type");
    const length = header(request, "x-upload-content-length");
    if (length !== undefined && !/^\d{1,15}$/.test(length)) {
      throw new StorageFailure("badRequest", "X-Upload-Content-Length is not a number.");
    }
    const fields: Fields = { ...(type ? { contentType: type } : {}), ...sent.fields };
    const id = uploads.begin({
      bucket,
      name: objectName(query.get("name") ?? sent.name ?? ""),
      fields,
      conditions: queryPreconditions(query),
      expected: sent.expected,
      totalBytes: length === undefined ? undefined : Number(length),
      origin: header(request, "origin"),
    });
    const location = `${origin}${path}?uploadType=resumable&upload_id=${id}`;
    sendEmpty(exchange, 200, { location, "x-guploader-uploadid": id });
  };

  const upload = async (exchange: Exchange, bucket: string): Promise<void> => {
    const { request, query, method } = exchange;
    if (method !== "POST")
      throw new StorageFailure("methodNotAllowed", "An upload begins by POST.");
    objects.bucket(bucket);
    const conditions = queryPreconditions(query);
    switch (query.get("uploadType")) {
      case "resumable":
        return beginUpload(exchange, bucket);
      case "media": {
        const type = header(request, "content-type");
        const write = {
          bucket,
          name: objectName(query.get("name") ?? ""),
          fields: type ? { contentType: type } : {},
          conditions,
          expected: readHashes(request),
        };
        return sendResource(exchange, await objects.put(write, request));
      }
      case "multipart": {
        const boundary = multipartBoundary(header(request, "content-type"));
        const { metadata, contentType, body } = await readMultipart(request, boundary);
        const sent = readObjectResource(metadata);
        const write = {
          bucket,
          name: objectName(query.get("name") ?? sent.name ?? ""),
          fields: { ...(contentType ? { contentType } : {}), ...sent.fields },
          conditions,
          expected: { ...sent.expected, ...readHashes(request) },
        };
        return sendResource(exchange, await objects.put(write, body));
      }
      default:
        throw new StorageFailure("badRequest", "uploadType must be media, multipart or resumable.");
    }
  };

  const answers = { canceledStatus: 499, sendWhole: sendResource };

  return {
    route,
    upload,
    continueUpload: (exchange: Exchange, id: string) =>
      continueUpload(uploads, exchange, id, answers),
  };
};

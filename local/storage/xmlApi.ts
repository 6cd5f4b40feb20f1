// The XML API, as far as signed URLs reach: reading, writing and beginning a resumable upload of
// one object, each request with a V4 signature that is checked.
import type { Fields, StoredObject } from "./catalog.ts";
import { continueUpload } from "./continueUpload.ts";
import {
  type Exchange,
  header,
  objectHeaders,
  readHashes,
  sendEmpty,
  sendObject,
} from "./exchange.ts";
import { StorageFailure } from "./failure.ts";
import type { ApiDeps } from "./jsonApi.ts";
import { decodePart, objectName } from "./names.ts";
import { checkPreconditions, headerPreconditions } from "./preconditions.ts";
import { isSigned, type VerifySigner, verifySignature } from "./signing.ts";

const OVERRIDES = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
] as const;

/** `/bucket/dir/object` → its two names. */
export const splitPath = (path: string): { bucket: string; name: string } => {
  const [, bucket = "", ...rest] = path.split("/");
  return { bucket: decodePart(bucket), name: rest.map(decodePart).join("/") };
};

const readFields = ({ request }: Exchange): Fields => {
  const fields: Fields = {};
  const set = (
    name:
      | "contentType"
      | "cacheControl"
      | "contentDisposition"
      | "contentEncoding"
      | "contentLanguage",
    from: string,
  ) => {
    const value = header(request, from);
    if (value !== undefined) fields[name] = value;
  };
  set("contentType", "content-type");
  set("cacheControl", "cache-control");
  set("contentDisposition", "content-disposition");
  set("contentEncoding", "content-encoding");
  set("contentLanguage", "content-language");
  const metadata = Object.entries(request.headers).flatMap(([name, value]) =>
    name.startsWith("x-goog-meta-") && typeof value === "string"
      ? [[name.slice("x-goog-meta-".length), value] as const]
      : [],
  );
  if (metadata.length > 0) fields.metadata = Object.fromEntries(metadata);
  return fields;
};

/** What `response-content-type` and its kin in a signed query make of the answer. */
const readOverrides = (query: URLSearchParams): Record<string, string> =>
  Object.fromEntries(
    OVERRIDES.flatMap((name) => {
      const value = query.get(`response-${name}`);
      return value === null ? [] : [[name, value]];
    }),
  );

export const createXmlApi = (
  { files, objects, uploads }: ApiDeps,
  verifySigner: VerifySigner,
  now: () => number,
) => {
  const sendWritten = (exchange: Exchange, object: StoredObject): void => {
    const { etag = "", ...headers } = objectHeaders(object);
    sendEmpty(exchange, 200, {
      etag,
      "x-goog-generation": headers["x-goog-generation"] ?? "",
      "x-goog-metageneration": headers["x-goog-metageneration"] ?? "",
      "x-goog-hash": headers["x-goog-hash"] ?? "",
    });
  };

  /** Any request but a preflight or one that continues an upload. */
  const route = async (exchange: Exchange): Promise<void> => {
    const { request, method, path, query, origin } = exchange;
    if (!isSigned(query)) {
      throw new StorageFailure(
        "accessDenied",
        "Anonymous caller does not have access to the Google Cloud Storage object.",
      );
    }
    await verifySignature({ method, path, query, headers: request.headers }, verifySigner, now());
    const { bucket, name } = splitPath(path);
    objects.bucket(bucket);
    if (name === "") throw new StorageFailure("notImplemented", "Buckets are not listed here.");
    objectName(name);
    const conditions = headerPreconditions(request.headers);
    const write = () => ({
      bucket,
      name,
      fields: readFields(exchange),
      conditions,
      expected: readHashes(request),
    });
    switch (method) {
      case "GET":
      case "HEAD": {
        const object = objects.get(bucket, name);
        checkPreconditions(conditions, object, "read");
        return sendObject(exchange, object, files, readOverrides(query));
      }
      case "PUT":
        return sendWritten(exchange, await objects.put(write(), request));
      case "DELETE":
        await objects.delete(bucket, name, conditions);
        return sendEmpty(exchange, 204);
      case "POST": {
        if (header(request, "x-goog-resumable") !== "start") {
          throw new StorageFailure("badRequest", "POST begins a resumable upload only.");
        }
        const id = uploads.begin({
          ...write(),
          totalBytes: undefined,
          origin: header(request, "origin"),
        });
        request.resume();
        return sendEmpty(exchange, 201, {
          location: `${origin}${path}?upload_id=${id}`,
          "x-guploader-uploadid": id,
        });
      }
      default:
        throw new StorageFailure("methodNotAllowed", "This method is not allowed here.");
    }
  };

  const answers = { canceledStatus: 204, sendWhole: sendWritten };

  return {
    route,
    /** A later request of an upload that a signed URL began. */
    continueUpload: (exchange: Exchange, id: string) =>
      continueUpload(uploads, exchange, id, answers),
  };
};

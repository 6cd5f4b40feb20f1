// Which pages may use the XML API from a browser: as the bucket's CORS setting says; a bucket
// without one is open here, because signed URLs are what protects it and this is one machine.
import type { Bucket } from "./catalog.ts";

interface Rule {
  origin?: string[];
  method?: string[];
  responseHeader?: string[];
  maxAgeSeconds?: number;
}

const EXPOSED = [
  "content-length",
  "content-range",
  "content-type",
  "etag",
  "location",
  "range",
  "x-goog-generation",
  "x-goog-hash",
];
const OPEN: Rule[] = [
  { origin: ["*"], method: ["GET", "HEAD", "PUT", "POST"], responseHeader: EXPOSED },
];

/**
 * CORS headers for a request from `origin`.
 * @param method the one asked for, of a preflight the one announced
 * @param requestHeaders of a preflight
 * @returns none where the bucket does not allow it
 */
export const corsHeaders = (
  bucket: Bucket | undefined,
  origin: string,
  method: string,
  requestHeaders?: string,
): Record<string, string> => {
  const configured = bucket?.config["cors"];
  const rules = Array.isArray(configured) && configured.length > 0 ? (configured as Rule[]) : OPEN;
  const rule = rules.find(
    ({ origin: origins = [], method: methods = [] }) =>
      (origins.includes("*") || origins.includes(origin)) &&
      (methods.includes("*") || methods.includes(method)),
  );
  if (!rule) return {};
  return {
    "access-control-allow-origin": rule.origin?.includes("*") ? "*" : origin,
    vary: "origin",
    "access-control-expose-headers": (rule.responseHeader ?? []).join(", "),
    ...(requestHeaders === undefined
      ? {}
      : {
          "access-control-allow-methods": (rule.method ?? []).join(", "),
          "access-control-allow-headers": requestHeaders,
          "access-control-max-age": String(rule.maxAgeSeconds ?? 3600),
        }),
  };
};

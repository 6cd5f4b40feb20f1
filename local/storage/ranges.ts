// The `Range` header, as far as Cloud Storage honours it: one range of bytes.

export type ByteRange =
  | { kind: "whole" }
  | { kind: "part"; start: number; end: number }
  | { kind: "unsatisfiable" };

/**
 * What of `sizeBytes` bytes is asked for; `start` and `end` are inclusive. Several ranges, or a
 * header that cannot be read, ask for the whole, as RFC 9110 has it.
 */
export const parseRange = (header: string | undefined, sizeBytes: number): ByteRange => {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return { kind: "whole" };
  const [, first = "", last = ""] = match;
  if (first === "") {
    const length = Math.min(Number(last), sizeBytes);
    if (length === 0) return { kind: "unsatisfiable" };
    return { kind: "part", start: sizeBytes - length, end: sizeBytes - 1 };
  }
  const start = Number(first);
  const end = last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== "" && Number(last) < start) return { kind: "whole" };
  return start >= sizeBytes ? { kind: "unsatisfiable" } : { kind: "part", start, end };
};

/** `Content-Range` of one request of a resumable upload. */
export type ContentRange =
  /** Asks how far the upload is. */
  | { kind: "status"; totalBytes: number | undefined }
  /** `end` undefined: to wherever the body ends, which then is the object's end. */
  | { kind: "bytes"; start: number; end: number | undefined; totalBytes: number | undefined };

/** @returns undefined for a header that cannot be read; no header means the whole object */
export const parseContentRange = (header: string | undefined): ContentRange | undefined => {
  if (header === undefined) {
    return { kind: "bytes", start: 0, end: undefined, totalBytes: undefined };
  }
  const match = /^bytes (?:(\*)|(\d{1,15})-(\d{1,15}|\*))\/(\d{1,15}|\*)$/.exec(header.trim());
  if (!match) return undefined;
  const [, star, first = "", last = "", total = ""] = match;
  const totalBytes = total === "*" ? undefined : Number(total);
  if (star) return { kind: "status", totalBytes };
  const start = Number(first);
  const end = last === "*" ? undefined : Number(last);
  const impossible =
    (end !== undefined && end < start) ||
    (totalBytes !== undefined &&
      (end ?? start) >= totalBytes &&
      !(end === undefined && start === totalBytes));
  return impossible ? undefined : { kind: "bytes", start, end, totalBytes };
};

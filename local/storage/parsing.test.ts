// The small readers: ranges, multipart bodies, checksums, prefixes.
import { expect, describe, it } from "vitest";
import { buffer, text } from "node:stream/consumers";
import { crc32c, crc32cBase64 } from "./crc32c.ts";
import { afterPrefix } from "./listing.ts";
import { multipartBoundary, readMultipart } from "./multipart.ts";
import { parseContentRange, parseRange } from "./ranges.ts";

describe("crc32c", () => {
  it.each([
    ["nothing", Buffer.alloc(0), "AAAAAA=="],
    // RFC 3720, B.4
    ["32 zero bytes", Buffer.alloc(32), "ipE2qg=="],
    ["32 bytes of ones", Buffer.alloc(32, 0xff), "YqirQw=="],
    ["the digits", Buffer.from("123456789"), "4waSgw=="],
  ])("of %s", (_, bytes, expected) => {
    expect(crc32cBase64(crc32c(bytes))).toBe(expected);
  });

  it("goes on over pieces of any size", () => {
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, at) => (at * 31) % 256));
    for (const size of [1, 7, 8, 9, 64, 999]) {
      let crc = 0;
      for (let at = 0; at < bytes.length; at += size)
        crc = crc32c(bytes.subarray(at, at + size), crc);
      expect(crc).toBe(crc32c(bytes));
    }
  });
});

it.each([
  [undefined, { kind: "whole" }],
  ["bytes=0-", { kind: "part", start: 0, end: 99 }],
  ["bytes=10-19", { kind: "part", start: 10, end: 19 }],
  ["bytes=90-500", { kind: "part", start: 90, end: 99 }],
  ["bytes=-10", { kind: "part", start: 90, end: 99 }],
  ["bytes=-500", { kind: "part", start: 0, end: 99 }],
  ["bytes=-0", { kind: "unsatisfiable" }],
  ["bytes=100-", { kind: "unsatisfiable" }],
  ["bytes=100-200", { kind: "unsatisfiable" }],
  ["bytes=5-4", { kind: "whole" }],
  ["bytes=0-1,5-6", { kind: "whole" }],
  ["lines=0-1", { kind: "whole" }],
  ["bytes=-", { kind: "whole" }],
])("Range %s of 100 bytes", (header, expected) => {
  expect(parseRange(header, 100)).toEqual(expected);
});

it("no range of an empty object can be satisfied", () => {
  expect(parseRange("bytes=0-", 0)).toEqual({ kind: "unsatisfiable" });
  expect(parseRange("bytes=-5", 0)).toEqual({ kind: "unsatisfiable" });
});

it.each([
  [undefined, { kind: "bytes", start: 0, end: undefined, totalBytes: undefined }],
  ["bytes */*", { kind: "status", totalBytes: undefined }],
  ["bytes */100", { kind: "status", totalBytes: 100 }],
  ["bytes 0-*/*", { kind: "bytes", start: 0, end: undefined, totalBytes: undefined }],
  ["bytes 0-49/*", { kind: "bytes", start: 0, end: 49, totalBytes: undefined }],
  ["bytes 50-99/100", { kind: "bytes", start: 50, end: 99, totalBytes: 100 }],
  ["bytes 50-*/100", { kind: "bytes", start: 50, end: undefined, totalBytes: 100 }],
  ["bytes 100-*/100", { kind: "bytes", start: 100, end: undefined, totalBytes: 100 }],
  ["bytes 0-*/0", { kind: "bytes", start: 0, end: undefined, totalBytes: 0 }],
  ["bytes 50-49/100", undefined],
  ["bytes 50-100/100", undefined],
  ["bytes 50-99", undefined],
  ["octets 0-1/2", undefined],
])("Content-Range %s", (header, expected) => {
  expect(parseContentRange(header)).toEqual(expected);
});

it.each([
  ["a/", "a0"],
  ["a", "b"],
  ["", undefined],
  ["a\u{10ffff}", "b"],
  ["\ud7ff", "\ue000"],
  ["é", "ê"],
])("after every name that begins with %j comes %j", (prefix, next) => {
  expect(afterPrefix(prefix)).toBe(next);
});

describe("multipart", () => {
  const whole = [
    "--b==\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n",
    '{"contentType":"text/plain"}',
    "\r\n--b==\r\nContent-Type: image/png\r\n\r\n",
    "line\r\n--b=not\r\n--b",
    "\r\n--b==--",
  ].join("");
  const inPieces = (body: string, size: number): AsyncIterable<Uint8Array> => {
    const bytes = Buffer.from(body);
    return (async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })();
  };

  it("is the same however the network cuts it", async () => {
    for (let size = 1; size <= whole.length; size += 1) {
      const { metadata, contentType, body } = await readMultipart(inPieces(whole, size), "b==");
      expect(metadata).toEqual({ contentType: "text/plain" });
      expect(contentType).toBe("image/png");
      expect(await text(body)).toBe("line\r\n--b=not\r\n--b");
    }
  });

  it("may be empty", async () => {
    const { body } = await readMultipart(
      inPieces("--b\r\n\r\n{}\r\n--b\r\nX: y\r\n\r\n\r\n--b--", 3),
      "b",
    );
    expect(await buffer(body)).toHaveLength(0);
  });

  it.each([
    ["cut in the metadata", whole.slice(0, 70)],
    ["cut in the bytes", whole.slice(0, -6)],
    ["not JSON", whole.replace("{", "<")],
    ["no boundary at all", "x".repeat(100)],
  ])("refused: %s", async (_, broken) => {
    const read = async () => {
      const { body } = await readMultipart(inPieces(broken, 10), "b==");
      await buffer(body);
    };
    await expect(read()).rejects.toMatchObject({ kind: "badRequest" });
  });

  it.each([
    ["multipart/related; boundary=abc", "abc"],
    ['multipart/related; boundary="a b c"', "a b c"],
    ["multipart/related; type=x; boundary=abc; y=z", "abc"],
  ])("boundary of %s", (header, boundary) => {
    expect(multipartBoundary(header)).toBe(boundary);
  });
  it("is refused without a boundary", () => {
    expect(() => multipartBoundary("text/plain; boundary=x")).toThrow("boundary");
    expect(() => multipartBoundary(undefined)).toThrow("boundary");
  });
});

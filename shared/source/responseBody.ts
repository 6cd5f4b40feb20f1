// The body of an answer, counted: too many bytes, or too many out of too few compressed ones, end
// it with an error instead of filling memory or disk.
import { pipeline, Transform, type Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { StageError } from "../contract/errors.ts";

export interface BodyCaps {
  headers: Record<string, string>;
  status: number;
  hasBody: boolean;
  maxBytes: number;
  maxRatio: number;
  mapError(error: unknown): unknown;
}

/** Small answers compress far better than any ratio allows; the ratio counts beyond this. */
const RATIO_FREE_BYTES = 2 ** 20;

const decompressor = (encoding: string | undefined, status: number): Transform | null => {
  switch (encoding?.trim().toLowerCase()) {
    case undefined:
    case "":
    case "identity":
      return null;
    case "gzip":
    case "x-gzip":
    case "br":
    case "deflate":
      break;
    default:
      throw new StageError("source_failed", "The server compresses in a way that is not read.");
  }
  // A part of a compressed whole cannot be read on its own.
  if (status === 206) throw new StageError("source_failed", "The server compresses byte ranges.");
  if (encoding?.includes("gzip")) return createGunzip();
  return encoding?.trim().toLowerCase() === "br" ? createBrotliDecompress() : createInflate();
};

/**
 * @returns the body, decompressed and capped; it fails with what `mapError` makes of an error
 * @throws {StageError} `video_too_large` when the announced length is over the cap already
 */
export const capBody = (source: Readable, caps: BodyCaps): Readable => {
  const refuse = (error: unknown): never => {
    source.on("error", () => {
      // Destroyed by us; what it says about that is of no interest.
    });
    source.destroy();
    throw error;
  };
  const tooLarge = () =>
    new StageError("video_too_large", "The server sends more bytes than the limit.");
  if (caps.hasBody && Number(caps.headers["content-length"] ?? 0) > caps.maxBytes) {
    refuse(tooLarge());
  }
  let decode: Transform | null = null;
  try {
    decode = caps.hasBody ? decompressor(caps.headers["content-encoding"], caps.status) : null;
  } catch (error) {
    refuse(error);
  }

  let received = 0;
  let passed = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      if (passed > caps.maxBytes) return done(tooLarge());
      if (decode && passed > RATIO_FREE_BYTES && passed > received * caps.maxRatio) {
        return done(new StageError("source_failed", "The answer is compressed beyond reason."));
      }
      return done(null, chunk);
    },
    destroy(error, done) {
      done(error ? (caps.mapError(error) as Error) : null);
    },
  });
  const settled = () => {
    // The error reaches whoever reads `count`, mapped by its destroy.
  };
  if (decode) {
    source.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    source.pause();
    pipeline(source, decode, count, settled);
  } else {
    pipeline(source, count, settled);
  }
  return count;
};

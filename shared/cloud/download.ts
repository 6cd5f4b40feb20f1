// Reading an object. The client itself gives up where a connection breaks.
import type { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { File } from "@google-cloud/storage";
import { StageError } from "../contract/errors.ts";
import { isStatus, isTransient, toStageError } from "./storageErrors.ts";

/** Broken connections in a row, none of which brought a byte. */
const MAX_BROKEN = 3;

interface DownloadResponse {
  headers?: Record<string, unknown>;
  body?: Readable;
}

/** Bytes of an object; goes on where a broken connection left off, in the same generation. */
export async function* download(
  target: File,
  { start, end }: { start: number; end?: number },
): AsyncGenerator<Buffer> {
  const { name } = target;
  let at = start;
  for (let broken = 0; ;) {
    const wholeObject = at === 0 && end === undefined;
    const source = target.createReadStream({
      decompress: false,
      ...(wholeObject ? { validation: "crc32c" } : { start: at, validation: false }),
      ...(end === undefined ? {} : { end }),
    });
    source.once("response", ({ headers, body }: DownloadResponse) => {
      // The client puts eleven listeners on it, of which Node would warn at every read.
      body?.setMaxListeners(20);
      const generation = headers?.["x-goog-generation"];
      if (typeof generation === "string") target.generation = Number(generation);
    });
    const before = at;
    try {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        at += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      if (isStatus(error, 404)) {
        throw new StageError("not_found", `There is no ${name}.`, { cause: error });
      }
      // The connection may break after the last byte; then there is no more to ask for.
      if (end !== undefined && at > end) return;
      if (isStatus(error, 416) && at > start) return;
      broken = at > before ? 1 : broken + 1;
      if (broken > MAX_BROKEN || !isTransient(error)) {
        throw toStageError(error, `${name} cannot be read.`);
      }
      await setTimeout(50 * 4 ** (broken - 1));
    } finally {
      source.destroy();
    }
  }
}

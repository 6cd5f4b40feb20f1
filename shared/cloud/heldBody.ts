// A stream may be short. Looking at its beginning tells, and what is short is sent as bytes.
import { Readable } from "node:stream";

/** Reads up to `limit` bytes. @returns all of the body, or its beginning and the rest */
export const hold = async (
  body: Readable,
  limit: number,
): Promise<{ whole: Uint8Array } | { rest: Readable }> => {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Buffer | string>;
  while (sizeBytes <= limit) {
    const { done, value } = await iterator.next();
    if (done) return { whole: Buffer.concat(chunks) };
    const chunk = Buffer.from(value as Buffer);
    chunks.push(chunk);
    sizeBytes += chunk.length;
  }
  const all = async function* () {
    yield* chunks.splice(0);
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      yield next.value;
    }
  };
  const rest = Readable.from(all(), { objectMode: false });
  // Not in the generator: one that nobody began to read runs nothing when it is ended.
  rest.once("close", () => body.destroy());
  return { rest };
};

// The body of a multipart upload: JSON metadata, then the object's bytes, which are passed on as
// they come and never held.
import { StorageFailure } from "./failure.ts";

const MAX_HEAD_BYTES = 1024 * 1024;

const malformed = (what: string): StorageFailure =>
  new StorageFailure("badRequest", `Malformed multipart body: ${what}.`);

/** @returns the boundary of `multipart/related; boundary=…` */
export const multipartBoundary = (contentType: string | undefined): string => {
  const match = /^multipart\/[\w-]+\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(
    contentType ?? "",
  );
  const boundary = match?.[1] ?? match?.[2];
  if (!boundary) throw malformed("the content type names no boundary");
  return boundary;
};

export interface MultipartUpload {
  metadata: unknown;
  contentType: string | undefined;
  /** @throws {StorageFailure} 400 when the body ends before its closing boundary */
  body: AsyncIterable<Uint8Array>;
}

/** Reads the metadata and the head of the second part. */
export const readMultipart = async (
  source: AsyncIterable<Uint8Array>,
  boundary: string,
): Promise<MultipartUpload> => {
  const chunks = source[Symbol.asyncIterator]();
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first boundary may stand at the very beginning, without a line before it.
  let buffered: Buffer = Buffer.from("\r\n");

  const more = async (): Promise<boolean> => {
    const { done, value } = await chunks.next();
    if (done) return false;
    buffered = buffered.length === 0 ? Buffer.from(value) : Buffer.concat([buffered, value]);
    return true;
  };
  const readUntil = async (mark: Buffer | string): Promise<Buffer> => {
    for (;;) {
      const at = buffered.indexOf(mark);
      if (at >= 0) {
        const head = buffered.subarray(0, at);
        buffered = buffered.subarray(at + mark.length);
        return head;
      }
      if (buffered.length > MAX_HEAD_BYTES) throw malformed("a part's head is too long");
      if (!(await more())) throw malformed("it ends too early");
    }
  };
  const readHeaders = async (): Promise<string> => {
    await readUntil("\r\n");
    // An empty head is a line break right after the boundary's own.
    buffered = Buffer.concat([Buffer.from("\r\n"), buffered]);
    return (await readUntil("\r\n\r\n")).toString("latin1");
  };

  await readUntil(delimiter);
  await readHeaders();
  let metadata: unknown;
  try {
    metadata = JSON.parse((await readUntil(delimiter)).toString("utf8") || "{}");
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed("the metadata is not JSON");
    throw error;
  }
  const headers = await readHeaders();
  const contentType = /^content-type:\s*(.+?)\s*$/im.exec(headers)?.[1];

  async function* body(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const at = buffered.indexOf(delimiter);
      if (at >= 0) {
        if (at > 0) yield buffered.subarray(0, at);
        break;
      }
      // All but what may be the beginning of the boundary.
      const safe = buffered.length - delimiter.length + 1;
      if (safe > 0) {
        yield buffered.subarray(0, safe);
        buffered = buffered.subarray(safe);
      }
      if (!(await more())) throw malformed("it ends before the closing boundary");
    }
    // The rest is read so that the connection can be used again.
    while (!(await chunks.next()).done);
  }
  return { metadata, contentType, body: body() };
};

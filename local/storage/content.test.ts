// Files of uploads whose writes failed halfway.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Digest, openContent } from "./content.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "content-"));
});
afterAll(() => rm(folder, { recursive: true }));

it.each([
  ["longer", "left over"],
  ["shorter", "l"],
])("an upload goes on where a write failed halfway that was %s", async (_, left) => {
  const files = openContent(folder);
  const id = files.newId();
  const incoming = await files.openIncoming(id);
  const digest = new Digest();
  const take = async (part: string): Promise<void> => {
    await incoming.append(Buffer.from(part), digest.sizeBytes);
    digest.update(Buffer.from(part));
  };
  await take("one ");
  // Written, but never counted: the disk was full before its end.
  await incoming.append(Buffer.from(left), digest.sizeBytes);
  await take("two");
  const content = await incoming.finish(digest);
  await incoming.close();
  expect(await text(files.read(id))).toBe("one two");
  expect(content.sizeBytes).toBe(7);
});

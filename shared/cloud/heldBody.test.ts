import { once } from "node:events";
import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, it } from "vitest";
import { hold } from "./heldBody.ts";

const bodyOf = (...chunks: string[]) => Readable.from(chunks.map((text) => Buffer.from(text)));

it.each([
  ["nothing", bodyOf(), ""],
  ["exactly the limit", bodyOf("ab", "cd"), "abcd"],
])("gives %s whole", async (_name, body, text) => {
  expect(await hold(body, 4)).toEqual({ whole: Buffer.from(text) });
});

it("gives what is longer as a stream of all of it", async () => {
  const held = await hold(bodyOf("ab", "cd", "ef"), 4);
  expect("rest" in held && (await buffer(held.rest)).toString()).toBe("abcdef");
});

it("lets go of a body whose rest nobody reads", async () => {
  const body = createReadStream(fileURLToPath(import.meta.url), { highWaterMark: 16 });
  const held = await hold(body, 32);
  if (!("rest" in held)) throw new Error("the file is longer");
  const closed = once(body, "close");
  held.rest.destroy();
  await closed;
  expect(body.destroyed).toBe(true);
});

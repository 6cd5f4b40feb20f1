import { createReadStream } from "node:fs";
import { gzipSync } from "node:zlib";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { fixture } from "../../tests/fixtures.ts";
import { chatDocument } from "./chatDocument.ts";
import { parseChatFile } from "./chatFile.ts";

const replay = fixture("twitch/chat-replay-v5.json");

const bytes = (text: string, size = 7): Readable => {
  const all = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0; at < all.length; at += size) pieces.push(all.subarray(at, at + size));
  return Readable.from(pieces, { objectMode: true });
};

const comment = (over: Record<string, unknown> = {}, message: Record<string, unknown> = {}) => ({
  _id: "m1",
  created_at: "2026-01-02T03:04:05.678Z",
  content_offset_seconds: 12.5,
  commenter: { display_name: "Ann", _id: "7", name: "ann", logo: null },
  message: { body: "hi 👍 Kappa there", ...message },
  ...over,
});

describe("parseChatFile", () => {
  it.skipIf(!replay.present)(
    `reads every message of a v5 replay, whatever the chunks (needs ${replay.name})`,
    async () => {
      const whole = await parseChatFile(createReadStream(replay.path));
      const small = await parseChatFile(createReadStream(replay.path, { highWaterMark: 991 }));
      expect(small).toEqual(whole);
      expect(whole.messages).toHaveLength(3090);
      expect(whole.video).toEqual({
        id: "1087079172",
        title: "The Lads Do Be Falling (Fall Guys)",
        createdAt: "2021-07-15T01:59:24Z",
      });
      expect(whole.channel).toEqual({ id: "14371185" });
      const emotes = whole.messages.flatMap(({ fragments }) =>
        fragments.flatMap(({ emote }) => (emote ? [emote.provider] : [])),
      );
      expect(emotes.filter((provider) => provider === "twitch")).toHaveLength(930);
      for (const { body, fragments } of whole.messages)
        expect(fragments.map(({ text }) => text).join("")).toBe(body);
      expect(whole.messages[1]?.user?.badges).toEqual([{ id: "premium", version: "1" }]);
    },
  );

  it.skipIf(!replay.present)(
    `comes back the same from chat.json (needs ${replay.name})`,
    async () => {
      const { messages } = await parseChatFile(createReadStream(replay.path));
      const info = { videoId: "1087079172", title: "Fall Guys", durationSec: 2938 };
      const text = [...chatDocument(messages, info)].join("");
      const back = await parseChatFile(bytes(text, 65_536));
      expect(back.messages).toEqual(messages);
      expect(back.video).toEqual({ id: "1087079172", title: "Fall Guys", lengthSec: 2938 });
      const [first] = (JSON.parse(text) as { comments: Record<string, unknown>[] }).comments;
      expect(Object.keys(first ?? {})).toEqual(
        expect.arrayContaining(["_id", "content_offset_seconds", "commenter", "message", "state"]),
      );
    },
  );

  it("takes an object with comments and a bare array, plain and gzipped", async () => {
    const rows = [comment(), comment({ _id: "m2", commenter: null })];
    const plain = await parseChatFile(bytes(JSON.stringify(rows)));
    const object = await parseChatFile(
      bytes(
        `\uFEFF {"state":"x]}\\"","n":[1,{"a":[]}],"comments": ${JSON.stringify(rows)}, "e":1e5}`,
      ),
    );
    const zipped = await parseChatFile(Readable.from([gzipSync(JSON.stringify(rows))]));
    expect(object.messages).toEqual(plain.messages);
    expect(zipped.messages).toEqual(plain.messages);
    expect(plain.messages[1]?.user).toBeNull();
  });

  it("cuts emotes out of the text by range, counting code points", async () => {
    const row = comment({}, { emoticons: [{ _id: "25", begin: 5, end: 9 }], bits_spent: 5 });
    const { messages } = await parseChatFile(bytes(JSON.stringify([row])));
    expect(messages[0]?.fragments).toEqual([
      { text: "hi 👍 " },
      { text: "Kappa", emote: { id: "25", provider: "twitch" } },
      { text: " there" },
    ]);
    expect(messages[0]?.bits).toBe(5);
  });

  it("knows the third-party emotes that the file embeds, though they come last", async () => {
    const file = {
      comments: [comment({}, { body: "wow myEmote KEKW" })],
      embeddedData: {
        thirdParty: [
          {
            id: "5f1b0186cf6d2144653d2970",
            name: "myEmote",
            data: "AAAA",
            url: "https://cdn.betterttv.net/x",
          },
        ],
        firstParty: [],
      },
    };
    const { messages } = await parseChatFile(bytes(JSON.stringify(file)));
    expect(messages[0]?.fragments).toEqual([
      { text: "wow " },
      { text: "myEmote", emote: { id: "5f1b0186cf6d2144653d2970", provider: "bttv" } },
      { text: " " },
      { text: "KEKW", emote: { id: "KEKW", provider: "ffz" } },
    ]);
  });

  it.each([
    ["nothing", "", /empty/],
    ["no JSON", "hello", /ends in the middle|not JSON/],
    ["a cut file", '{"comments":[{"_id":"a"', /middle/],
    ["mismatched brackets", '{"comments":[]]', /not JSON at byte 14/],
    ["a trailing comma", "[1,]", /not JSON|Message 1/],
    ["text after the end", "[] x", /not JSON at byte 3/],
    ["JSON of something else", '{"hello":1}', /no list of comments/],
    ["comments that are no list", '{"comments":{}}', /no list of comments/],
    ["a text", '"comments"', /no list of comments/],
    ["a broken row", '[{"_id":}]', /Message 1 .*not JSON/],
    [
      "a row without a time",
      JSON.stringify([comment(), comment({ content_offset_seconds: "x" })]),
      /Message 2 .*content_offset_seconds/,
    ],
    ["a row that is no object", "[12]", /Message 1/],
    [
      "emotes without end",
      JSON.stringify({
        embeddedData: {
          thirdParty: Array.from({ length: 20_001 }, (_, i) => ({ id: "1", name: `e${i}` })),
        },
        comments: [],
      }),
      /more than 20000 emotes/,
    ],
    ["an endless row", JSON.stringify([comment({}, { body: "x".repeat(300_000) })]), /longer than/],
  ])("refuses %s, naming the place", async (_name, text, message) => {
    await expect(parseChatFile(bytes(text, 4096))).rejects.toMatchObject({
      code: "invalid_chat_file",
      message: expect.stringMatching(message),
    });
  });

  it("stops at the limit, also when a small file unpacks to a large one", async () => {
    const bomb = gzipSync(Buffer.alloc(4 * 1024 * 1024, " "));
    await expect(
      parseChatFile(Readable.from([bomb]), { maxBytes: 1024 * 1024 }),
    ).rejects.toMatchObject({ code: "invalid_chat_file", message: expect.stringMatching(/1 MiB/) });
    await expect(parseChatFile(Readable.from([bomb.subarray(0, 100)]))).rejects.toMatchObject({
      code: "invalid_chat_file",
    });
  });
});

import { describe, expect, it } from "vitest";
import type { ChatMessage } from "../contract/chat.ts";
import { chatDocument } from "./chatDocument.ts";
import { parseChatFile } from "./chatFile.ts";

const info = {
  videoId: "42",
  title: 'He said "hi"\u2028',
  channelId: "1234",
  channelName: "Chan",
  durationSec: 60,
};
const messages: ChatMessage[] = [
  {
    id: "a",
    offsetSec: 0.25,
    createdAt: "2026-01-01T00:00:00.250Z",
    user: {
      id: "9",
      login: "ann",
      name: "アン",
      color: "#FF0000",
      badges: [{ id: "subscriber", version: "12" }],
    },
    body: "🎉 Kappa catJAM",
    fragments: [
      { text: "🎉 " },
      { text: "Kappa", emote: { id: "25", provider: "twitch" } },
      { text: " " },
      { text: "catJAM", emote: { id: "5f1b", provider: "bttv" } },
    ],
    bits: 100,
  },
  { id: "b", offsetSec: 70, user: null, body: "late", fragments: [{ text: "late" }], bits: 0 },
];

describe("chatDocument", () => {
  it("writes TwitchDownloader's layout", () => {
    const document = JSON.parse([...chatDocument(messages, info)].join(""));
    expect(Object.keys(document)).toEqual([
      "FileInfo",
      "streamer",
      "video",
      "comments",
      "embeddedData",
    ]);
    expect(document.streamer).toEqual({ name: "Chan", id: 1234 });
    expect(document.comments[0]).toMatchObject({
      content_offset_seconds: 0.25,
      commenter: { display_name: "アン", _id: "9", name: "ann" },
      message: {
        bits_spent: 100,
        user_color: "#FF0000",
        user_badges: [{ _id: "subscriber", version: "12" }],
        emoticons: [{ _id: "25", begin: 2, end: 6 }],
      },
    });
    expect(document.comments[0].message.fragments[1].emoticon.emoticon_id).toBe("25");
  });

  it("writes the same bytes each time, and reads back to the same messages", async () => {
    const pieces = (): Buffer[] => [...chatDocument(messages, info)].map((p) => Buffer.from(p));
    expect(Buffer.concat(pieces()).equals(Buffer.concat(pieces()))).toBe(true);
    const source = async function* (): AsyncGenerator<Buffer> {
      yield* pieces();
    };
    expect((await parseChatFile(source())).messages).toEqual(messages);
  });

  it("comes in pieces, and is whole without messages", () => {
    const many = Array.from({ length: 1201 }, (_, i) => ({ ...messages[1], id: `${i}` }));
    const pieces = [...chatDocument(many as ChatMessage[], info)];
    expect(pieces).toHaveLength(3);
    expect(JSON.parse(pieces.join("")).comments).toHaveLength(1201);
    expect(JSON.parse([...chatDocument([], info)].join("")).comments).toEqual([]);
  });
});

import { createReadStream } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ChatMessage } from "../contract/chat.ts";
import { fixture } from "../../tests/fixtures.ts";
import { parseChatFile } from "./chatFile.ts";
import { mergeChat } from "./merge.ts";

const replay = fixture("twitch/chat-replay-v5.json");
const message = (id: string, offsetSec: number, createdAt?: string): ChatMessage => ({
  id,
  offsetSec,
  ...(createdAt ? { createdAt } : {}),
  user: null,
  body: id,
  fragments: [{ text: id }],
  bits: 0,
});
const ids = (messages: ChatMessage[]): string => messages.map(({ id }) => id).join("");

describe("mergeChat", () => {
  it.skipIf(!replay.present)(
    `gives a replay back in its order from shuffled, overlapping windows (needs ${replay.name})`,
    async () => {
      const { messages } = await parseChatFile(createReadStream(replay.path));
      const window = (from: number, to: number): ChatMessage[] =>
        messages.filter(({ offsetSec }) => offsetSec >= from && offsetSec < to);
      const windows = [window(1800, 9999), window(0, 900), window(900, 1800), window(600, 1200)];
      const merged = mergeChat(windows, { durationSec: 2000 });
      expect(merged.messages).toEqual(messages);
      const late = messages.filter(({ offsetSec }) => offsetSec > 2000).length;
      expect(merged).toMatchObject({ afterEnd: late, beforeStart: 0 });
      expect(merged.inside).toHaveLength(3090 - late);
    },
  );

  it("orders by offset, then by time, then as given, and counts an id once", () => {
    const merged = mergeChat(
      [
        [message("d", 5), message("b", 3, "2026-01-01T00:00:00.5Z")],
        [
          message("a", 3, "2026-01-01T00:00:00.45Z"),
          message("b", 3),
          message("c", 3, "2026-01-01T00:00:01Z"),
        ],
        [message("e", 5)],
      ],
      { durationSec: 10 },
    );
    expect(ids(merged.messages)).toBe("abcde");
  });

  it("shifts all times, and keeps what falls outside the video out of the series", () => {
    const merged = mergeChat([[message("a", 1), message("b", 4), message("c", 7)]], {
      durationSec: 4,
      chatOffsetSec: -2,
    });
    expect(merged.messages.map(({ offsetSec }) => offsetSec)).toEqual([-1, 2, 5]);
    expect([ids(merged.inside), merged.beforeStart, merged.afterEnd]).toEqual(["b", 1, 1]);
  });
});

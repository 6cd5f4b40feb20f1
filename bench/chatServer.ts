// A worker thread that serves a chat replay as Twitch does, each page some milliseconds away, so
// that making the pages does not cost the reader's thread anything.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { type CommentPage, commentPages } from "#local/twitch/comments.ts";
import type { ChatMessage } from "#shared/contract/chat.ts";

export interface ChatServerData {
  messages: number;
  durationSec: number;
  latencyMs: number;
}

/** A chat with a daily rhythm and bursts, the same each time; every message has its own id. */
const makeChat = ({ messages, durationSec }: ChatServerData): ChatMessage[] => {
  let state = 20_261_120;
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const chat: ChatMessage[] = [];
  while (chat.length < messages) {
    const atSec = random() * durationSec;
    // Three quarters of them in waves, the rest even.
    const wave = 0.5 + 0.5 * Math.sin(atSec / 600);
    if (random() > 0.25 + 0.75 * wave) continue;
    const n = chat.length;
    const name = `viewer_${n % 4000}`;
    chat.push({
      id: `${n.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`,
      offsetSec: Math.floor(atSec),
      createdAt: new Date(Date.UTC(2026, 10, 1) + Math.round(atSec * 1000)).toISOString(),
      user: {
        id: String(n % 4000),
        login: name,
        name,
        color: "#1E90FF",
        badges: [{ id: "subscriber", version: "12" }],
      },
      body: "that was close LUL",
      fragments: [
        { text: "that was close " },
        { text: "LUL", emote: { id: "425618", provider: "twitch" } },
      ],
      bits: 0,
    });
  }
  return chat;
};

const data = workerData as ChatServerData;
const pages = commentPages(makeChat(data));

const body = (page: CommentPage | null): string =>
  JSON.stringify({ data: { video: { id: "1", comments: page } } });

const server = createServer((request, response) => {
  let asked = "";
  request.setEncoding("utf8").on("data", (text: string) => (asked += text));
  request.on("end", () => {
    setTimeout(() => {
      const { variables } = JSON.parse(asked) as {
        variables: { contentOffsetSeconds?: number; cursor?: string };
      };
      const page =
        variables.cursor === undefined
          ? pages.byOffset(variables.contentOffsetSeconds ?? 0)
          : pages.byCursor(variables.cursor);
      response.setHeader("content-type", "application/json").end(body(page));
    }, data.latencyMs);
  });
});
server.listen(0, "127.0.0.1", () => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage((server.address() as AddressInfo).port);
});

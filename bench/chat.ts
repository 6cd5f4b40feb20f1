// Fetching a chat replay of 50,000 messages (200,000 with `--full`), each page 50 ms away: windows
// with several requests at a time, beside pages one after another. Both read the same pages through
// the same client.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { standInNet } from "#local/twitch/standInNet.ts";
import { inOrder, mergeChat } from "#shared/chat/merge.ts";
import { toChatMessage } from "#shared/chat/twitchMessage.ts";
import { fetchWindow } from "#shared/chat/twitchReplay.ts";
import { completeShare, joinCompleteness, planWindows } from "#shared/chat/windows.ts";
import type { ChatMessage } from "#shared/contract/chat.ts";
import { createGuardedFetch } from "#shared/source/fetch.ts";
import { createTwitchApi, type TwitchApi } from "#shared/source/twitchApi.ts";
import type { ChatServerData } from "./chatServer.ts";
import type { Bench } from "./row.ts";

const DURATION_SEC = 6 * 3600;
const LATENCY_MS = 50;
const WINDOW_SEC = 1800;

interface Run {
  sec: number;
  pages: number;
  messages: ChatMessage[];
}

/** As a single reader has to: the first page by time, each next one by the last one's cursor. */
const oneAfterAnother = async (api: TwitchApi): Promise<Run> => {
  const began = performance.now();
  const messages = new Map<string, ChatMessage>();
  let pages = 0;
  for (let cursor: string | null | undefined; cursor !== null;) {
    const { comments } =
      cursor === undefined
        ? await api.commentsByOffset("1", 0)
        : await api.commentsByCursor("1", cursor);
    pages += 1;
    for (const { node } of comments?.edges ?? []) messages.set(node.id, toChatMessage(node));
    cursor = comments?.pageInfo.hasNextPage ? (comments.edges.at(-1)?.cursor ?? null) : null;
  }
  return { sec: (performance.now() - began) / 1000, pages, messages: inOrder(messages.values()) };
};

/** As a job does: so many windows at a time, each with so many requests at a time. */
const inWindows = async (
  api: TwitchApi,
  {
    windowsAtOnce,
    parallel,
    expected,
  }: { windowsAtOnce: number; parallel: number; expected: number },
): Promise<Run> => {
  const began = performance.now();
  const waiting = planWindows(DURATION_SEC, { windowSec: WINDOW_SEC });
  const { signal } = new AbortController();
  const parts: Extract<Awaited<ReturnType<typeof fetchWindow>>, { kind: "chat" }>[] = [];
  const worker = async (): Promise<void> => {
    for (let window = waiting.shift(); window !== undefined; window = waiting.shift()) {
      const part = await fetchWindow({ api, videoId: "1", window, parallel, signal });
      if (part.kind === "none") throw new Error("The stand-in knows no such video.");
      parts.push(part);
    }
  };
  await Promise.all(Array.from({ length: windowsAtOnce }, worker));
  const sec = (performance.now() - began) / 1000;
  const fetched = parts.reduce((sum, { messages }) => sum + messages.length, 0);
  const merged = mergeChat(
    parts.map(({ messages }) => messages),
    { durationSec: DURATION_SEC },
  );
  const share = completeShare(joinCompleteness(parts.map(({ completeness }) => completeness)));
  if (fetched !== expected || merged.messages.length !== expected || share !== 1)
    throw new Error(`${fetched} messages fetched, ${merged.messages.length} different, ${share}.`);
  return {
    sec,
    pages: parts.reduce((sum, { pages }) => sum + pages, 0),
    messages: merged.messages,
  };
};

export const run: Bench = async function* ({ full }) {
  const expected = full ? 200_000 : 50_000;
  const workerData: ChatServerData = {
    messages: expected,
    durationSec: DURATION_SEC,
    latencyMs: LATENCY_MS,
  };
  const server = new Worker(new URL("chatServer.ts", import.meta.url), { workerData });
  const [port] = (await once(server, "message")) as [number];
  const guarded = createGuardedFetch(standInNet({ "gql.twitch.tv": `127.0.0.1:${port}` }), {
    connectionsPerHost: 64,
  });
  try {
    const api = createTwitchApi({ fetch: guarded.fetch });
    const peer = await oneAfterAnother(api);
    for (const { windowsAtOnce, parallel, goal } of [
      { windowsAtOnce: 1, parallel: 4, goal: "≥ 3.5" },
      { windowsAtOnce: 8, parallel: 4, goal: "≥ 20" },
      { windowsAtOnce: 1, parallel: 32, goal: "≥ 20" },
    ]) {
      const ours = await inWindows(api, { windowsAtOnce, parallel, expected });
      const same = ours.messages.every(({ id }, index) => id === peer.messages[index]?.id);
      yield {
        name: `chat replay, ${windowsAtOnce} window(s) at a time with ${parallel} requests each`,
        ours: ours.sec,
        peer: peer.sec,
        unit: "s",
        ratio: peer.sec / ours.sec,
        goal,
        note: `${ours.pages} pages, peer ${peer.pages}; ${expected} messages, none twice, complete, order ${same ? "the same" : "another"}`,
      };
    }
  } finally {
    await guarded.close();
    await server.terminate();
  }
};

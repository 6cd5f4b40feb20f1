import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { ChatMessage } from "../contract/chat.ts";
import { StageError } from "../contract/errors.ts";
import { fixture } from "../../tests/fixtures.ts";
import { TwitchComments } from "../source/twitchApi.ts";
import { mergeChat } from "./merge.ts";
import { toChatMessage } from "./twitchMessage.ts";
import { type CommentsApi, type FetchedWindow, fetchWindow } from "./twitchReplay.ts";
import { completeShare, joinCompleteness, planWindows } from "./windows.ts";

const gql = fixture("twitch/gql-video-comments.json");
const never = new AbortController().signal;

/** A replay with so many messages in each second, paged the way Twitch does. */
const standIn = (
  perSec: number[],
  {
    pageSize = 59,
    reachBack = 20,
    cursors = true,
    errorPastEnd = false,
  }: { pageSize?: number; reachBack?: number; cursors?: boolean; errorPastEnd?: boolean } = {},
) => {
  const nodes = perSec.flatMap((count, sec) =>
    Array.from({ length: count }, (_, n) => ({
      id: `${sec}-${n}`,
      contentOffsetSeconds: sec,
      createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, sec)).toISOString(),
      commenter: { id: "1", login: "ann", displayName: "Ann" },
      message: { fragments: [{ text: `m${n}`, emote: null }], userBadges: [], userColor: null },
    })),
  );
  const page = (from: number) => {
    const edges = nodes
      .slice(from, from + pageSize)
      .map((node, n) => ({ cursor: `c${from + n}`, node }));
    const hasNextPage = from + pageSize < nodes.length;
    return { videoExists: true, comments: { edges, pageInfo: { hasNextPage } } };
  };
  const asked = { offset: 0, cursor: 0 };
  const api: CommentsApi = {
    commentsByOffset: async (_id, offsetSec) => {
      asked.offset += 1;
      const at = nodes.findIndex((node) => node.contentOffsetSeconds >= offsetSec);
      if (at === -1)
        return errorPastEnd && nodes.length > 0
          ? { videoExists: true, comments: null, reason: "service error" }
          : page(nodes.length);
      return page(Math.max(0, at - reachBack));
    },
    commentsByCursor: async (_id, cursor) => {
      asked.cursor += 1;
      if (!cursors) throw new StageError("twitch_failed");
      return page(Number(cursor.slice(1)) + 1);
    },
  };
  return { api, asked, ids: nodes.map(({ id }) => id) };
};

const ids = (messages: ChatMessage[]): string[] => messages.map(({ id }) => id);
const chat = (fetched: FetchedWindow): Extract<FetchedWindow, { kind: "chat" }> => {
  if (fetched.kind !== "chat") throw new Error("no chat");
  return fetched;
};

const fetchAll = async (
  api: CommentsApi,
  durationSec: number,
  { windowSec = 900, parallel = 4 } = {},
) => {
  const windows = planWindows(durationSec, { windowSec });
  const fetched = await Promise.all(
    windows.map(async (window) =>
      chat(
        await fetchWindow({
          api,
          videoId: "1",
          window,
          parallel,
          signal: never,
          retryDelaysMs: [],
        }),
      ),
    ),
  );
  return {
    fetched,
    merged: mergeChat(
      fetched.map(({ messages }) => messages),
      { durationSec },
    ),
    completeness: joinCompleteness(fetched.map(({ completeness }) => completeness)),
  };
};

const perSecs = fc.array(
  fc.oneof({ arbitrary: fc.constantFrom(0, 0, 1), weight: 6 }, fc.nat(6), fc.constant(40)),
  { minLength: 1, maxLength: 120 },
);
const runs = fc.record({
  perSec: perSecs,
  windowSec: fc.integer({ min: 5, max: 130 }),
  shorterBy: fc.integer({ min: 0, max: 20 }),
  parallel: fc.integer({ min: 1, max: 8 }),
  pageSize: fc.integer({ min: 3, max: 12 }),
  reach: fc.nat(10),
  errorPastEnd: fc.boolean(),
});

describe("fetchWindow", () => {
  it("has every message once, in order, whatever the windows, where cursors work", async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ perSec, reach, ...run }) => {
        const twitch = standIn(perSec, { ...run, reachBack: Math.min(reach, run.pageSize - 1) });
        const durationSec = Math.max(1, perSec.length - run.shorterBy);
        const all = await fetchAll(twitch.api, durationSec, run);
        const fetchedIds = all.fetched.flatMap(({ messages }) => ids(messages));
        expect(fetchedIds).toHaveLength(new Set(fetchedIds).size);
        expect(ids(all.merged.messages)).toEqual(twitch.ids);
        expect(all.completeness.doubtfulSec).toEqual([]);
      }),
      {
        numRuns: 150,
        // A window begins right behind a last second that has more than a page.
        examples: [
          [
            {
              perSec: [0, 0, 40, 0, 0, 40, 40, 40, 0],
              windowSec: 8,
              shorterBy: 0,
              parallel: 1,
              pageSize: 3,
              reach: 0,
              errorPastEnd: true,
            },
          ],
        ],
      },
    );
  });

  it("names every second it may have lost messages of, where there is time paging alone", async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ perSec, reach, ...run }) => {
        const reachBack = Math.min(reach, run.pageSize - 1);
        const twitch = standIn(perSec, { ...run, reachBack, cursors: false });
        const all = await fetchAll(twitch.api, perSec.length, run);
        const got = new Set(ids(all.merged.messages));
        expect(ids(all.merged.messages)).toEqual(twitch.ids.filter((id) => got.has(id)));
        const lost = twitch.ids.filter((id) => !got.has(id)).map((id) => Number(id.split("-")[0]));
        const doubtful = new Set(all.completeness.doubtfulSec);
        expect(lost.filter((sec) => !doubtful.has(sec))).toEqual([]);
        // No doubt without reason: such a second alone fills what a page holds after its start, or
        // the replay ends in such a second and Twitch refuses what comes after.
        const end = perSec.findLastIndex((count) => count > 0);
        const full = (sec: number): boolean => (perSec[sec] ?? 0) >= run.pageSize - reachBack - 1;
        for (const sec of doubtful) expect(full(sec) || (sec > end && full(end))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it("says exactly how much is certain when a second has more than a page", async () => {
    const perSec = Array.from({ length: 100 }, (_, sec) => (sec === 40 ? 200 : 2));
    const { merged, completeness } = await fetchAll(
      standIn(perSec, { cursors: false, reachBack: 0 }).api,
      100,
    );
    expect(merged.messages).toHaveLength(99 * 2 + 59);
    expect(completeness).toEqual({ totalSec: 100, doubtfulSec: [40] });
    expect(completeShare(completeness)).toBeCloseTo(0.99);
  });

  it("gives up cursors after one failed integrity check", async () => {
    const twitch = standIn(
      Array.from({ length: 900 }, () => 1),
      { cursors: false },
    );
    const fetched = await fetchAll(twitch.api, 900, { parallel: 1 });
    expect(fetched.merged.messages).toHaveLength(900);
    expect(twitch.asked.cursor).toBe(1);
  });

  it("keeps so many requests on the way, and no more", async () => {
    const twitch = standIn(Array.from({ length: 900 }, () => 10));
    let open = 0;
    let most = 0;
    const counted =
      <A extends unknown[], R>(f: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        most = Math.max(most, (open += 1));
        await new Promise((resolve) => setImmediate(resolve));
        open -= 1;
        return f(...args);
      };
    const api = {
      commentsByOffset: counted(twitch.api.commentsByOffset),
      commentsByCursor: counted(twitch.api.commentsByCursor),
    };
    const progress: number[] = [];
    const [window] = planWindows(900);
    const options = { api, videoId: "1", window: window!, parallel: 6, signal: never };
    const fetched = chat(await fetchWindow({ ...options, onProgress: (p) => progress.push(p) }));
    expect(fetched.messages).toHaveLength(9000);
    expect(most).toBe(6);
    expect(fetched.pages).toBeLessThan((9000 / 59) * 1.25);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toBe(1);
  });

  it("takes what comes after the end into the last window, and past the end for none", async () => {
    const perSec = Array.from({ length: 130 }, () => 1);
    for (const errorPastEnd of [false, true]) {
      const { api } = standIn(perSec, { errorPastEnd });
      const ended = await fetchAll(api, 100, { windowSec: 50 });
      expect(ended.merged).toMatchObject({ afterEnd: 29, beforeStart: 0 });
      expect(ended.completeness).toEqual({ totalSec: 130, doubtfulSec: [] });
      const longer = await fetchAll(api, 3600, { windowSec: 900 });
      expect(longer.fetched.map(({ messages }) => messages.length)).toEqual([130, 0, 0, 0]);
    }
  });

  it("answers none for an unknown video, and nothing for an empty replay", async () => {
    const window = planWindows(60)[0]!;
    const unknown = { videoExists: false, comments: null };
    const api = { commentsByOffset: async () => unknown, commentsByCursor: async () => unknown };
    expect(await fetchWindow({ api, videoId: "1", window, signal: never })).toEqual({
      kind: "none",
    });
    const empty = await fetchWindow({ api: standIn([]).api, videoId: "1", window, signal: never });
    expect(empty).toMatchObject({ kind: "chat", messages: [], completeness: { totalSec: 60 } });
  });

  it("tries a service error again, then says that chat is unavailable", async () => {
    const { api } = standIn(Array.from({ length: 60 }, () => 5));
    const refuse = { videoExists: true, comments: null, reason: "service error" };
    const window = planWindows(60)[0]!;
    const commentsByOffset = vi
      .fn<CommentsApi["commentsByOffset"]>(api.commentsByOffset)
      .mockResolvedValueOnce(refuse)
      .mockResolvedValueOnce(refuse);
    const options = { videoId: "1", window, parallel: 1, signal: never, retryDelaysMs: [1, 1] };
    const fetched = chat(await fetchWindow({ ...options, api: { ...api, commentsByOffset } }));
    expect(fetched.messages).toHaveLength(300);

    const down = { ...api, commentsByOffset: async () => refuse };
    await expect(fetchWindow({ ...options, api: down })).rejects.toMatchObject({
      code: "chat_unavailable",
      retryable: true,
    });
    const hole: CommentsApi = {
      commentsByOffset: async (id, sec) =>
        sec >= 30 && sec < 40 ? refuse : api.commentsByOffset(id, sec),
      commentsByCursor: () => Promise.reject(new StageError("twitch_failed")),
    };
    const options4 = { ...options, parallel: 6, retryDelaysMs: [] };
    await expect(fetchWindow({ ...options4, api: hole })).rejects.toMatchObject({
      code: "chat_unavailable",
    });
  });

  it("stops when told to, and passes on what the api throws", async () => {
    const stop = new AbortController();
    const { api } = standIn(Array.from({ length: 60 }, () => 50));
    const window = planWindows(60)[0]!;
    const commentsByOffset: CommentsApi["commentsByOffset"] = (id, sec) => {
      stop.abort(new Error("stopped"));
      return api.commentsByOffset(id, sec);
    };
    await expect(
      fetchWindow({ api: { ...api, commentsByOffset }, videoId: "1", window, signal: stop.signal }),
    ).rejects.toThrow("stopped");
    const limited = () => Promise.reject(new StageError("source_rate_limited"));
    await expect(
      fetchWindow({
        api: { ...api, commentsByOffset: limited },
        videoId: "1",
        window,
        signal: never,
      }),
    ).rejects.toMatchObject({ code: "source_rate_limited" });
  });
});

describe("toChatMessage", () => {
  it.skipIf(!gql.present)(`reads Twitch's own answer (needs ${gql.name})`, () => {
    const answer = JSON.parse(readFileSync(gql.path, "utf8"));
    const page = TwitchComments.parse(answer.data.video.comments);
    expect(page.edges.map(({ node }) => toChatMessage(node))).toEqual([
      {
        id: "4c6b9500-697a-4b97-be0a-1ef877b70562",
        offsetSec: 873,
        createdAt: "2024-12-28T03:31:02.554Z",
        user: {
          id: "100000001",
          login: "viewer_a1b2c3",
          name: "Viewer_A1B2C3",
          color: "#B26422",
          badges: [{ id: "sub-gifter", version: "10" }],
        },
        body: "of course man, glad to support my favorite streamer",
        fragments: [{ text: "of course man, glad to support my favorite streamer" }],
        bits: 0,
      },
    ]);
  });

  it("reads emotes, bits and deleted accounts", () => {
    const message = toChatMessage({
      id: "x",
      contentOffsetSeconds: 1,
      createdAt: null,
      commenter: null,
      message: {
        fragments: [
          { text: "Cheer100 gg ", emote: null },
          { text: "LUL", emote: { id: "425618;12;14", emoteID: "425618" } },
          { text: " uni50 Cheer0 xCheer5", emote: null },
        ],
        userBadges: null,
        userColor: null,
      },
    });
    expect(message).toMatchObject({
      user: null,
      bits: 150,
      body: "Cheer100 gg LUL uni50 Cheer0 xCheer5",
    });
    expect(message.fragments[1]).toEqual({
      text: "LUL",
      emote: { id: "425618", provider: "twitch" },
    });
  });
});

describe("planWindows", () => {
  it.each([
    ["a short video", 100, {}, [[0, 100]]],
    [
      "an even cut",
      1800,
      {},
      [
        [0, 900],
        [900, 1800],
      ],
    ],
    [
      "a stretch of it",
      7200,
      { startSec: 90.5, endSec: 1000 },
      [
        [90.5, 990],
        [990, 1000],
      ],
    ],
    [
      "too many windows",
      1000,
      { windowSec: 10, maxWindows: 2 },
      [
        [0, 500],
        [500, 1000],
      ],
    ],
    ["no length", 0, {}, [[0, 0]]],
  ])("covers %s", (_name, durationSec, options, expected) => {
    const windows = planWindows(durationSec, options);
    expect(windows.map(({ startSec, endSec }) => [startSec, endSec])).toEqual(expected);
    expect(windows.at(-1)?.openEnded).toBe(!("endSec" in options));
  });
});

// Fetches one time window of Twitch's chat replay with several requests at a time. The window is
// cut into stretches; whoever is free takes over half of the longest rest, so that a dense minute
// does not hold up the others.
import { setTimeout as delay } from "node:timers/promises";
import type { ChatMessage } from "../contract/chat.ts";
import { StageError } from "../contract/errors.ts";
import type { TwitchApi, TwitchComments, TwitchCommentsPage } from "../source/twitchApi.ts";
import { KNOWN_EMOTES, recogniseEmotes } from "./emotes.ts";
import { inOrder } from "./merge.ts";
import { Stretch } from "./stretch.ts";
import type { ChatCompleteness, ChatWindow } from "./windows.ts";

export type CommentsApi = Pick<TwitchApi, "commentsByOffset" | "commentsByCursor">;

export interface FetchWindowOptions {
  api: CommentsApi;
  videoId: string;
  window: ChatWindow;
  /** Requests at a time, default 4. */
  parallel?: number;
  signal: AbortSignal;
  /** 0 to 1, rising. */
  onProgress?: (fraction: number) => void;
  /** Pauses between tries of a page that Twitch refuses; default 250 ms, 1 s, 3 s. */
  retryDelaysMs?: readonly number[];
}

export type FetchedWindow =
  | {
      kind: "chat";
      /** In order, each once; emotes of BTTV, FFZ and 7TV recognised by name. */
      messages: ChatMessage[];
      /** Pages that Twitch was asked for. */
      pages: number;
      completeness: ChatCompleteness;
    }
  /** Twitch knows no such video. */
  | { kind: "none" };

const DEFAULT_RETRY_DELAYS_MS = [250, 1000, 3000];
// A window of 15 minutes at 100 messages a second has 1,500 pages.
const MAX_PAGES = 40_000;

const unavailable = (): StageError =>
  new StageError(
    "chat_unavailable",
    "Twitch does not give out a part of the chat replay at the moment.",
  );

type Answer = TwitchComments | "refused" | "no_video";

class WindowFetch {
  readonly #options: FetchWindowOptions;
  readonly #stretches: Stretch[] = [];
  readonly #active = new Set<Stretch>();
  #cursorsWork = true;
  #pages = 0;
  #progress = 0;
  /** Offset of the last comment of the whole replay, once a page has said that it is the last. */
  #replayEndSec: number | undefined;

  constructor(options: FetchWindowOptions) {
    this.#options = options;
    const { window, parallel = 4 } = options;
    const { startSec, endSec } = window;
    const count = Math.max(1, Math.min(parallel, Math.floor(endSec - startSec)));
    const cut = (index: number): number =>
      index === 0 ? startSec : Math.floor(startSec + ((endSec - startSec) * index) / count);
    for (let index = 0; index < count; index += 1) {
      const end = index + 1 < count ? cut(index + 1) : window.openEnded ? Infinity : endSec;
      this.#stretches.push(new Stretch(cut(index), end));
    }
  }

  async run(): Promise<FetchedWindow> {
    const found = await this.#readAll();
    if (!found) return { kind: "none" };
    for (const stretch of this.#stretches) if (stretch.refused) await this.#provePastEnd(stretch);
    const ordered = this.#stretches.toSorted((a, b) => a.startSec - b.startSec);
    const messages = inOrder(ordered.flatMap((stretch) => stretch.messages));
    this.#options.onProgress?.(1);
    return {
      kind: "chat",
      messages: messages.map((message) => recogniseEmotes(message, KNOWN_EMOTES)),
      pages: this.#pages,
      completeness: {
        totalSec: this.#totalSec(messages.at(-1)),
        doubtfulSec: ordered.flatMap((stretch) => stretch.doubtfulSec).sort((a, b) => a - b),
      },
    };
  }

  #totalSec(last: ChatMessage | undefined): number {
    const { startSec, endSec } = this.#options.window;
    const beyond = last === undefined ? 0 : Math.floor(last.offsetSec) + 1;
    return Math.ceil(Math.max(endSec, beyond)) - Math.floor(startSec);
  }

  /** @returns false where there is no such video */
  #readAll(): Promise<boolean> {
    const { parallel = 4, signal } = this.#options;
    const waiting = [...this.#stretches];
    return new Promise<boolean>((resolve, reject) => {
      const state = { ended: false };
      const end = (settle: () => void): void => {
        state.ended = true;
        settle();
      };
      const advance = async (stretch: Stretch): Promise<void> => {
        signal.throwIfAborted();
        const exists = await this.#onePage(stretch);
        this.#active.delete(stretch);
        if (state.ended) return;
        if (!exists) return end(() => resolve(false));
        if (!stretch.done) waiting.unshift(stretch);
        this.#report();
        pump();
      };
      const pump = (): void => {
        while (!state.ended && this.#active.size < parallel) {
          const stretch = waiting.shift() ?? this.#takeOver();
          if (stretch === undefined) break;
          this.#active.add(stretch);
          advance(stretch).catch((error: unknown) => end(() => reject(error)));
        }
        if (!state.ended && this.#active.size === 0) end(() => resolve(true));
      };
      pump();
    });
  }

  /** The later half of the longest rest, or nothing where all rests are short. */
  #takeOver(): Stretch | undefined {
    let best: { stretch: Stretch; fromSec: number; pages: number } | undefined;
    for (const stretch of this.#active) {
      if (stretch.pageSec === undefined) continue;
      // The page on its way will cover this much.
      const fromSec = stretch.nextSec + stretch.pageSec;
      const pages = (this.#restEnd(stretch) - fromSec) / stretch.pageSec;
      if (pages >= 2 && pages > (best?.pages ?? 0)) best = { stretch, fromSec, pages };
    }
    if (best === undefined) return undefined;
    const { stretch, fromSec } = best;
    const middle = Math.floor((fromSec + this.#restEnd(stretch)) / 2);
    if (middle <= stretch.nextSec || middle >= stretch.endSec) return undefined;
    const rest = new Stretch(middle, stretch.endSec);
    stretch.endSec = middle;
    this.#stretches.push(rest);
    return rest;
  }

  #restEnd(stretch: Stretch): number {
    return Math.min(stretch.endSec, this.#options.window.endSec);
  }

  /** @returns false where there is no such video */
  async #onePage(stretch: Stretch): Promise<boolean> {
    const ask = stretch.next(this.#cursorsWork);
    if (ask === null) return true;
    if ("cursor" in ask) {
      const page = await this.#byCursor(ask.cursor);
      if (page === null) return this.#onePage(stretch);
      stretch.take(page, "cursor");
      return true;
    }
    const page = await this.#byOffset(ask.offsetSec);
    if (page === "no_video") return false;
    if (page === "refused") {
      stretch.refused = true;
      stretch.done = true;
    } else stretch.take(page, "offset");
    return true;
  }

  /** @returns null where cursors do not work, and paging by time goes on */
  async #byCursor(cursor: string): Promise<TwitchComments | null> {
    const { api, videoId, signal } = this.#options;
    try {
      const page = await this.#ask(() => api.commentsByCursor(videoId, cursor));
      if (page !== "refused" && page !== "no_video") return page;
    } catch (error) {
      signal.throwIfAborted();
      // Most often a failed integrity check; whatever it is, time paging will tell.
      if (!(error instanceof StageError) || error.code !== "twitch_failed") throw error;
    }
    this.#cursorsWork = false;
    return null;
  }

  #byOffset(offsetSec: number): Promise<Answer> {
    const { api, videoId } = this.#options;
    return this.#ask(() => api.commentsByOffset(videoId, offsetSec));
  }

  async #ask(request: () => Promise<TwitchCommentsPage>): Promise<Answer> {
    const { signal, retryDelaysMs = DEFAULT_RETRY_DELAYS_MS } = this.#options;
    for (let tries = 0; ; tries += 1) {
      this.#countPage();
      const { videoExists, comments } = await request();
      if (!videoExists) return "no_video";
      if (comments !== null) {
        this.#note(comments);
        return comments;
      }
      const delayMs = retryDelaysMs[tries];
      if (delayMs === undefined) return "refused";
      await delay(delayMs, undefined, { signal });
    }
  }

  #note({ edges, pageInfo }: TwitchComments): void {
    const last = edges.at(-1);
    if (last !== undefined && !pageInfo.hasNextPage)
      this.#replayEndSec = last.node.contentOffsetSeconds;
  }

  #countPage(): void {
    this.#pages += 1;
    if (this.#pages > MAX_PAGES)
      throw new StageError("chat_unavailable", "Twitch's chat replay does not come to an end.");
  }

  /**
   * A refused page is either past the replay's end, where Twitch refuses too, or a failure. A page
   * that says it is the last, and lies before, makes it the former; a comment that lies after, the
   * latter. With neither, the rest is left out as doubtful.
   * @throws {StageError} `chat_unavailable`
   */
  async #provePastEnd(stretch: Stretch): Promise<void> {
    const refusedSec = stretch.nextSec;
    let knownSec = Math.max(...this.#stretches.map((other) => other.lastSec));
    let answered = 0;
    let refused = refusedSec;
    let asked = 0;
    let furthest: TwitchComments | undefined;
    while (this.#replayEndSec === undefined && knownSec < refusedSec && answered < refused) {
      const page = await this.#byOffset(asked);
      if (page === "no_video" || (page === "refused" && asked === 0)) throw unavailable();
      if (page === "refused") refused = asked;
      else {
        const last = page.edges.at(-1);
        if (last === undefined) return;
        if (last.node.contentOffsetSeconds >= knownSec) furthest = page;
        knownSec = Math.max(knownSec, last.node.contentOffsetSeconds);
        answered = Math.max(asked + 1, last.node.contentOffsetSeconds);
      }
      asked = Math.floor((answered + refused) / 2);
    }
    knownSec = Math.max(knownSec, await this.#followTo(refusedSec, furthest));
    if (Math.max(knownSec, this.#replayEndSec ?? 0) >= refusedSec) throw unavailable();
    if (this.#replayEndSec === undefined) stretch.doubt(refusedSec, this.#restEnd(stretch));
  }

  /**
   * Goes on behind a page by cursor: a last second with more than a page hides the replay's end
   * from whoever asks by time.
   * @returns the offset of the furthest comment, -1 where there was none
   */
  async #followTo(sec: number, page: TwitchComments | undefined): Promise<number> {
    let reachedSec = -1;
    let last = page?.edges.at(-1);
    while (last?.cursor && this.#cursorsWork && this.#replayEndSec === undefined) {
      last = (await this.#byCursor(last.cursor))?.edges.at(-1);
      reachedSec = Math.max(reachedSec, last?.node.contentOffsetSeconds ?? -1);
      if (reachedSec >= sec) break;
    }
    return reachedSec;
  }

  #report(): void {
    const { startSec, endSec } = this.#options.window;
    let openSec = 0;
    for (const stretch of this.#stretches)
      if (!stretch.done) openSec += Math.max(0, this.#restEnd(stretch) - stretch.nextSec);
    const fraction = endSec > startSec ? 1 - openSec / (endSec - startSec) : 0;
    if (fraction <= this.#progress) return;
    this.#progress = Math.min(fraction, 1);
    this.#options.onProgress?.(this.#progress);
  }
}

/**
 * One window of the chat replay of a Twitch VOD. Windows of `planWindows` joined have each message
 * exactly once. Pages follow each other by cursor where that works, else by time; where a second
 * has more messages than a page, the second is listed in `completeness` as doubtful.
 * @throws {StageError} `chat_unavailable` (try later), or what the api throws
 */
export const fetchWindow = (options: FetchWindowOptions): Promise<FetchedWindow> =>
  new WindowFetch(options).run();

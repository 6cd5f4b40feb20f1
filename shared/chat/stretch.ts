// One run of pages through a part of a window: what it has, where it goes on, and which of its
// seconds are doubtful. Pure; `twitchReplay.ts` asks for the pages.
import type { ChatMessage } from "../contract/chat.ts";
import type { TwitchCommentNode, TwitchComments } from "../source/twitchApi.ts";
import { toChatMessage } from "./twitchMessage.ts";

/**
 * Reads [startSec, endSec) page by page. It relies on two things only: a page is a gapless run of
 * the chat, and a page asked for at a second holds the first comment at or after that second.
 */
export class Stretch {
  readonly startSec: number;
  /** Moves down when another stretch takes over the rest; never below `nextSec`. */
  endSec: number;
  /** Everything before this second is settled. */
  nextSec: number;
  done = false;
  /** Twitch had no page for `nextSec`. */
  refused = false;
  /** Seconds that the last page went forward; undefined before the first. */
  pageSec: number | undefined;
  #cursor: string | null = null;
  /** The last page did not reach beyond `nextSec`. */
  #stalled = false;
  #stepSec = 1;
  /** The furthest comment seen. */
  #last: TwitchCommentNode | undefined;
  readonly #doubtful = new Set<number>();
  readonly #messages = new Map<string, ChatMessage>();

  constructor(startSec: number, endSec: number) {
    this.startSec = startSec;
    this.endSec = endSec;
    this.nextSec = Math.floor(startSec);
  }

  get messages(): ChatMessage[] {
    return [...this.#messages.values()];
  }

  get doubtfulSec(): number[] {
    return [...this.#doubtful].filter((sec) => sec < this.endSec && sec >= this.startSec - 1);
  }

  /** Offset of the furthest comment seen, also beyond the stretch; -1 before the first. */
  get lastSec(): number {
    return this.#last?.contentOffsetSeconds ?? -1;
  }

  doubt(fromSec: number, toSec: number): void {
    for (let sec = fromSec; sec < toSec; sec += 1) this.#doubtful.add(sec);
  }

  /** How to ask for the next page; null when there is no need. */
  next(useCursor: boolean): { cursor: string } | { offsetSec: number } | null {
    if (!this.done && useCursor && this.#cursor !== null) return { cursor: this.#cursor };
    if (!this.done && this.#stalled) this.#step();
    return this.done ? null : { offsetSec: this.nextSec };
  }

  /** @param by how the page was asked for */
  take({ edges, pageInfo }: TwitchComments, by: "offset" | "cursor"): void {
    const first = edges[0]?.node;
    const last = edges.at(-1);
    if (first === undefined || last === undefined) {
      this.done = true;
      return;
    }
    if (by === "offset") this.#judgeStart(edges, first);
    for (const { node } of edges) this.#keep(node);

    const lastSec = last.node.contentOffsetSeconds;
    const repeated = by === "cursor" && last.node.id === this.#last?.id;
    this.#cursor = repeated ? null : (last.cursor ?? null);
    this.pageSec = Math.max(1, lastSec - Math.max(this.nextSec, first.contentOffsetSeconds));
    if (lastSec >= this.lastSec) this.#last = last.node;
    this.#stalled = lastSec <= this.nextSec;
    if (!this.#stalled) this.#stepSec = 1;
    this.nextSec = Math.max(this.nextSec, lastSec);
    this.done = !pageInfo.hasNextPage || lastSec >= this.endSec;
  }

  /** Goes on later where the last page did not move on, which leaves what is skipped in doubt. */
  #step(): void {
    const fullSecond = this.lastSec === this.nextSec;
    // Pages that end before the second asked for are not Twitch's habit; do not crawl through them.
    const stepSec = fullSecond ? 1 : this.#stepSec;
    this.#stepSec = fullSecond ? 1 : this.#stepSec * 2;
    const target = Math.min(this.nextSec + stepSec, Math.ceil(this.endSec));
    this.doubt(this.nextSec, target);
    this.nextSec = target;
    this.#stalled = false;
    this.done = target >= this.endSec;
  }

  /** Whether a page that was asked for by time joins on to what is there. */
  #judgeStart(edges: TwitchComments["edges"], first: TwitchCommentNode): void {
    const previous = this.#last;
    if (previous === undefined) return;
    const previousSec = this.lastSec;
    const firstSec = first.contentOffsetSeconds;
    if (firstSec < previousSec || edges.some(({ node }) => node.id === previous.id)) {
      for (let sec = previousSec; sec < this.nextSec; sec += 1) this.#doubtful.delete(sec);
    } else if (this.nextSec > previousSec) {
      this.#doubtful.add(previousSec);
    } else {
      // Asked for at the last comment's second, it should have held that comment.
      this.doubt(previousSec, firstSec + 1);
    }
  }

  #keep(node: TwitchCommentNode): void {
    const sec = node.contentOffsetSeconds;
    // The first second of all also takes what was written before it.
    const before = this.startSec > 0 && sec < this.startSec;
    if (before || sec >= this.endSec || this.#messages.has(node.id)) return;
    this.#messages.set(node.id, toChatMessage(node));
  }
}

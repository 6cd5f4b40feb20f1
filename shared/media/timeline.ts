// Lays decoded sound on the video's time line by sample number: gaps in the timestamps become
// silence, overlaps are cut, and small disagreements (rounded or jittering timestamps) are ignored,
// so that no sample is ever stretched and a range decoded alone lands where the whole decode puts it.
import { CLOCK_PACKETS, clockCorrectionSec } from "./coarseClock.ts";
import type { SoundSink } from "./meters.ts";

/** Timestamps within this of where the samples put them are jitter, not a gap. */
const RESYNC_SEC = 0.015;
/** A decoded frame, as ffmpeg's `framecrc` lists it. */
export interface FrameInfo {
  /** Presentation time in the piece, seconds. */
  ptsSec: number;
  /** Samples of one channel. */
  samples: number;
}

export class Timeline {
  readonly #sinks: readonly SoundSink[];
  readonly #sampleRateHz: number;
  readonly #channels: number;
  readonly #resync: number;
  /** Sample frame that is laid next; grows from `start` to `end`. */
  at: number;
  readonly end: number;
  /** Sample frames that came from the source. */
  decoded = 0;
  /** First sample frame that the pieces had, also outside the range; null without sound. */
  firstSound: number | null = null;

  // Of the piece being read
  #offsetSec = 0;
  #waiting: FrameInfo[] = [];
  #head = 0;
  /** Timestamps of the packets, where the piece's clock is too coarse to go by the first alone. */
  #packets: number[] | null = null;
  #ended = false;
  /** Where the piece's sample 0 lies; null until that is known. */
  #base: number | null = null;
  #counted = 0;

  constructor(
    sinks: readonly SoundSink[],
    range: { start: number; end: number; sampleRateHz: number; channels: number },
  ) {
    this.#sinks = sinks;
    this.at = range.start;
    this.end = range.end;
    this.#sampleRateHz = range.sampleRateHz;
    this.#channels = range.channels;
    this.#resync = Math.round(range.sampleRateHz * RESYNC_SEC);
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /**
   * @param ptsOffsetSec added to a presentation time to get the time in the video
   * @param coarse       whether the packets' timestamps are rounded, and will be announced too
   */
  startPiece(ptsOffsetSec: number, coarse = false): void {
    this.#offsetSec = ptsOffsetSec;
    this.#waiting = [];
    this.#head = 0;
    this.#packets = coarse ? [] : null;
    this.#ended = false;
    this.#base = null;
    this.#counted = 0;
  }

  announce(frame: FrameInfo): void {
    this.#waiting.push(frame);
  }

  announcePacket(ptsSec: number): void {
    if (this.#packets && this.#packets.length < CLOCK_PACKETS) this.#packets.push(ptsSec);
  }

  /** No further frame will be announced in this piece. */
  endPiece(): void {
    this.#ended = true;
  }

  /**
   * Lays the frames that are whole in `pcm[from..to)`.
   * @returns elements used
   */
  lay(pcm: Int16Array, from: number, to: number): number {
    if (!this.#anchored()) return 0;
    let used = from;
    for (;;) {
      const frame = this.#waiting[this.#head];
      if (frame === undefined || this.done) break;
      const next = used + frame.samples * this.#channels;
      if (next > to) break;
      this.#layFrame(pcm, used, frame);
      used = next;
      this.#head += 1;
    }
    if (this.#head > 4096) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return used - from;
  }

  /** Silence up to a sample frame, or to the end of the range. */
  fillTo(frame: number): void {
    const frames = Math.min(frame, this.end) - this.at;
    if (frames <= 0) return;
    for (const sink of this.#sinks) sink.silence(frames, this.at);
    this.at += frames;
  }

  #positionOf(frame: FrameInfo): number {
    return (frame.ptsSec + this.#offsetSec) * this.#sampleRateHz;
  }

  #anchored(): boolean {
    if (this.#base !== null) return true;
    const [first, second] = this.#waiting;
    if (first === undefined) return false;
    let correctionSec = 0;
    if (this.#packets) {
      if (this.#packets.length < CLOCK_PACKETS && !this.#ended) return false;
      // The first frame may be cut (an encoder's delay), so the second says how long they are.
      const frames = this.#waiting.slice(1, -1);
      const constant = second && frames.every((frame) => frame.samples === second.samples);
      if (constant)
        correctionSec = clockCorrectionSec(this.#packets, second.samples / this.#sampleRateHz);
    }
    this.#base = Math.round(this.#positionOf(first) + correctionSec * this.#sampleRateHz);
    return true;
  }

  #layFrame(pcm: Int16Array, offset: number, frame: FrameInfo): void {
    const byTimestamp = this.#positionOf(frame) - this.#counted;
    if (Math.abs(byTimestamp - (this.#base as number)) > this.#resync)
      this.#base = Math.round(byTimestamp);
    const start = (this.#base as number) + this.#counted;
    this.#counted += frame.samples;
    this.firstSound ??= start;
    this.fillTo(start);
    const skip = Math.max(0, this.at - start);
    const frames = Math.min(start + frame.samples, this.end) - (start + skip);
    if (frames <= 0) return;
    for (const sink of this.#sinks)
      sink.sound(pcm, offset + skip * this.#channels, frames, this.at);
    this.at += frames;
    this.decoded += frames;
  }
}

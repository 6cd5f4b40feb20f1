// Sound for recognition: what passes is mixed to one channel and handed to an encoder that writes a
// 16 kHz FLAC file. It gets the laid-out sound, so that the file is in step with the video's time.
import { once } from "node:events";
import { checkExit, type Ffmpeg, type FfmpegProcess, startFfmpeg } from "./ffmpeg.ts";
import type { SoundSink } from "./meters.ts";

const BATCH = 64 * 1024;
const SILENCE = new Uint8Array(BATCH * 2);

export class FlacEncoder implements SoundSink {
  readonly #process: FfmpegProcess;
  readonly #channels: number;
  /** Channels that the encoder gets: more than two are left to its own way of mixing. */
  readonly #written: number;
  /** Batches that the pipe has taken; used again, since garbage of their size costs much to collect. */
  readonly #spare: Int16Array<ArrayBuffer>[] = [];
  #batch = new Int16Array(BATCH);
  #filled = 0;

  constructor(
    ffmpeg: Ffmpeg,
    options: {
      path: string;
      sampleRateHz: number;
      channels: number;
      signal?: AbortSignal | undefined;
    },
  ) {
    const { path, sampleRateHz, channels, signal } = options;
    this.#channels = channels;
    this.#written = channels > 2 ? channels : 1;
    this.#process = startFfmpeg(
      ffmpeg,
      [
        ["-f", "s16le", "-ar", `${sampleRateHz}`, "-ac", `${this.#written}`, "-i", "pipe:0"],
        // Large frames: every one costs ffmpeg several switches between threads. The quickest level:
        // speech takes 2 % more than at level 2.
        ["-map_metadata", "-1", "-ac", "1", "-ar", "16000", "-c:a", "flac"],
        [
          "-sample_fmt",
          "s16",
          "-compression_level",
          "0",
          "-frame_size",
          "4608",
          "-bitexact",
          "-f",
          "flac",
          "-y",
          path,
        ],
      ].flat(),
      { input: true, signal },
    );
    this.#process.stdout.resume();
    // A broken pipe means that the encoder ended; how it ended is what `finish` reports.
    this.#process.stdin.on("error", () => undefined);
  }

  sound(pcm: Int16Array, offset: number, frames: number): void {
    for (let from = 0; from < frames;) {
      if (this.#filled + this.#written > BATCH) this.#flush();
      const count = Math.min(frames - from, Math.floor((BATCH - this.#filled) / this.#written));
      this.#take(pcm, offset + from * this.#channels, count);
      from += count;
    }
  }

  silence(frames: number): void {
    this.#flush();
    // One buffer is queued again and again: silence of any length takes no memory.
    for (let bytes = frames * this.#written * 2; bytes > 0; bytes -= SILENCE.length)
      this.#process.stdin.write(SILENCE.subarray(0, Math.min(bytes, SILENCE.length)));
  }

  /** Waits until the encoder takes more, or has ended. */
  async drained(): Promise<void> {
    const { stdin, exited } = this.#process;
    if (!stdin.writableNeedDrain || stdin.destroyed) return;
    await Promise.race([once(stdin, "drain"), exited]);
  }

  /** Completes the file. @throws {StageError} `resources_exhausted`, `stage_timeout` */
  async finish(): Promise<void> {
    this.#flush();
    this.#process.stdin.end();
    checkExit(await this.#process.exited, "The sound could not be encoded.");
  }

  /** Gives up; the file may be there in part. */
  async cancel(): Promise<void> {
    this.#process.stop();
    await this.#process.exited.catch(() => undefined); // it is being thrown away
  }

  #take(pcm: Int16Array, begin: number, frames: number): void {
    const batch = this.#batch;
    let to = this.#filled;
    if (this.#channels === 2)
      for (let i = begin, end = begin + frames * 2; i < end; i += 2)
        batch[to++] = ((pcm[i] as number) + (pcm[i + 1] as number)) >> 1;
    else {
      batch.set(pcm.subarray(begin, begin + frames * this.#channels), to);
      to += frames * this.#channels;
    }
    this.#filled = to;
  }

  #flush(): void {
    if (this.#filled === 0) return;
    const batch = this.#batch;
    this.#process.stdin.write(new Uint8Array(batch.buffer, 0, this.#filled * 2), () =>
      this.#spare.push(batch),
    );
    this.#batch = this.#spare.pop() ?? new Int16Array(BATCH);
    this.#filled = 0;
  }
}

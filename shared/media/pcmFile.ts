// Laid-out sound as a file of raw samples, for the second step of rendering a clip.
import { createWriteStream, type WriteStream } from "node:fs";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import type { SoundSink } from "./meters.ts";

const SILENCE = new Uint8Array(64 * 1024);

export class PcmFile implements SoundSink {
  readonly #file: WriteStream;
  readonly #channels: number;
  readonly #written: Promise<void>;

  constructor(path: string, channels: number) {
    this.#file = createWriteStream(path);
    this.#channels = channels;
    this.#written = finished(this.#file);
    this.#written.catch(() => undefined); // reported by `drained` and `finish`
  }

  sound(pcm: Int16Array, offset: number, frames: number): void {
    // A copy: the samples' place is used again before the file has taken them.
    const copy = pcm.slice(offset, offset + frames * this.#channels);
    this.#file.write(new Uint8Array(copy.buffer));
  }

  silence(frames: number): void {
    for (let bytes = frames * this.#channels * 2; bytes > 0; bytes -= SILENCE.length)
      this.#file.write(SILENCE.subarray(0, Math.min(bytes, SILENCE.length)));
  }

  async drained(): Promise<void> {
    if (this.#file.writableNeedDrain)
      await Promise.race([once(this.#file, "drain"), this.#written]);
  }

  async finish(): Promise<void> {
    this.#file.end();
    await this.#written;
  }

  cancel(): void {
    this.#file.destroy();
  }
}

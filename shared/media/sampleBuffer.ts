// Bytes of a pipe, in whatever portions they come, as samples.
import { freeChunk } from "./freeChunk.ts";

export class SampleBuffer {
  #bytes = new Uint8Array(256 * 1024);
  #from = 0;
  #to = 0;

  /** @param chunk freed */
  append(chunk: Uint8Array): void {
    if (this.#to + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#to);
    this.#to += chunk.length;
    freeChunk(chunk);
  }

  /** @param use gets the samples at `pcm[from..to)` and returns how many of them it has used up */
  take(use: (pcm: Int16Array, from: number, to: number) => number): void {
    const pcm = new Int16Array(this.#bytes.buffer);
    this.#from += 2 * use(pcm, this.#from / 2, this.#to >> 1);
    if (this.#from === this.#to) {
      this.#from = 0;
      this.#to = 0;
    }
  }

  #makeRoom(length: number): void {
    const held = this.#bytes.subarray(this.#from, this.#to);
    const wanted = held.length + length;
    const bytes = wanted > this.#bytes.length / 2 ? new Uint8Array(wanted * 2) : this.#bytes;
    // Samples stay at even places, since whole ones are used up.
    bytes.set(held, 0);
    this.#bytes = bytes;
    this.#to = held.length;
    this.#from = 0;
  }
}

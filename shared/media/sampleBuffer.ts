// Bytes of a pipe, in whatever portions they come, as samples.

export class SampleBuffer {
  #bytes = new Uint8Array(256 * 1024);
  #from = 0;
  #to = 0;

  /** @param chunk used up: its memory is freed at once, where nobody else has a part of it */
  append(chunk: Uint8Array<ArrayBuffer>): void {
    const { length, buffer } = chunk;
    if (this.#to + length > this.#bytes.length) this.#makeRoom(length);
    this.#bytes.set(chunk, this.#to);
    this.#to += length;
    // Left to the garbage collector, a pipe's portions keep it marking the whole heap all the time.
    if (buffer.byteLength === length) buffer.transfer(0);
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

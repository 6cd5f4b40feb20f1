// What is measured of sound while it passes: waveform peaks and loudness, each on one grid that
// counts from time zero of the video, so that ranges measured apart join without a seam.

/** Sound on its way, one stretch after another, without gaps or overlaps. */
export interface SoundSink {
  /**
   * @param pcm    interleaved signed 16-bit samples
   * @param offset first element of the stretch in `pcm`
   * @param frames sample frames in the stretch
   * @param at     number of its first sample frame, counted from time zero
   */
  sound(pcm: Int16Array, offset: number, frames: number, at: number): void;
  /** A stretch that the source has no samples for. */
  silence(frames: number, at: number): void;
}

/**
 * Minimum and maximum per pixel in the manner of BBC audiowaveform: of the channels' mean, rounded
 * towards zero. Pixels that no sample falls in are 0, 0; the last one may be partial.
 */
export class PeakMeter implements SoundSink {
  readonly #peaks: Int16Array;
  readonly #first: number;
  readonly #end: number;
  readonly #channels: number;
  readonly #samplesPerPixel: number;
  #pixel = 0;
  // Of the channels' sum: rounding keeps the order, so it can wait for the end of the pixel.
  #min = Infinity;
  #max = -Infinity;

  /**
   * @param first number of a pixel's first sample frame
   * @param end   number of the frame after the last one
   */
  constructor(first: number, end: number, channels: number, samplesPerPixel: number) {
    this.#first = first;
    this.#end = end;
    this.#channels = channels;
    this.#samplesPerPixel = samplesPerPixel;
    this.#peaks = new Int16Array(Math.ceil(Math.max(0, end - first) / samplesPerPixel) * 2);
  }

  sound(pcm: Int16Array, offset: number, frames: number, at: number): void {
    const channels = this.#channels;
    const stop = Math.min(frames, this.#end - at);
    for (let from = Math.max(0, this.#first - at); from < stop;) {
      const pixelEnd = this.#open(at + from);
      const to = Math.min(stop, pixelEnd - at);
      if (channels === 2) this.#stereo(pcm, offset + from * 2, offset + to * 2);
      else this.#mixed(pcm, offset + from * channels, offset + to * channels);
      from = to;
    }
  }

  silence(frames: number, at: number): void {
    const from = Math.max(at, this.#first);
    const last = Math.min(at + frames, this.#end) - 1;
    if (last < from) return;
    // Pixels between these two are 0, 0 already; these may have sound as well.
    for (const sample of [from, last]) {
      this.#open(sample);
      this.#min = Math.min(this.#min, 0);
      this.#max = Math.max(this.#max, 0);
    }
  }

  /** @returns min, max, min, max, … at 16 bit */
  finish(): Int16Array {
    this.#close();
    return this.#peaks;
  }

  /** Makes the sample's pixel the current one. @returns the frame after its last */
  #open(sample: number): number {
    const pixel = Math.floor((sample - this.#first) / this.#samplesPerPixel);
    if (pixel !== this.#pixel) {
      this.#close();
      this.#pixel = pixel;
      this.#min = Infinity;
      this.#max = -Infinity;
    }
    return this.#first + (pixel + 1) * this.#samplesPerPixel;
  }

  #close(): void {
    if (this.#min > this.#max) return;
    this.#peaks[this.#pixel * 2] = Math.trunc(this.#min / this.#channels);
    this.#peaks[this.#pixel * 2 + 1] = Math.trunc(this.#max / this.#channels);
  }

  #stereo(pcm: Int16Array, begin: number, end: number): void {
    let min = this.#min;
    let max = this.#max;
    for (let i = begin; i < end; i += 2) {
      const sum = (pcm[i] as number) + (pcm[i + 1] as number);
      if (sum < min) min = sum;
      if (sum > max) max = sum;
    }
    this.#min = min;
    this.#max = max;
  }

  #mixed(pcm: Int16Array, begin: number, end: number): void {
    const channels = this.#channels;
    let min = this.#min;
    let max = this.#max;
    for (let i = begin; i < end; i += channels) {
      let sum = pcm[i] as number;
      for (let c = 1; c < channels; c += 1) sum += pcm[i + c] as number;
      if (sum < min) min = sum;
      if (sum > max) max = sum;
    }
    this.#min = min;
    this.#max = max;
  }
}

/** Bins of loudness in a second. */
export const LOUDNESS_BINS_PER_SEC = 10;
const SILENCE_DB = -100;
const FULL_SCALE = 32_768 ** 2;

/** RMS level over all channels in dB below full scale, in bins of 100 ms; silence is -100. */
export class LoudnessMeter implements SoundSink {
  /** Number of the first bin, counted from time zero. */
  readonly firstBin: number;
  readonly #channels: number;
  readonly #sampleRateHz: number;
  readonly #squares: Float64Array;
  readonly #counts: Float64Array;

  /** Covers the bins that begin from `first` on and before `end` (sample frames). */
  constructor(first: number, end: number, channels: number, sampleRateHz: number) {
    const binOf = (frame: number): number =>
      Math.ceil((frame * LOUDNESS_BINS_PER_SEC) / sampleRateHz);
    this.firstBin = binOf(first);
    this.#channels = channels;
    this.#sampleRateHz = sampleRateHz;
    const bins = Math.max(0, binOf(end) - this.firstBin);
    this.#squares = new Float64Array(bins);
    this.#counts = new Float64Array(bins);
  }

  sound(pcm: Int16Array, offset: number, frames: number, at: number): void {
    const channels = this.#channels;
    for (let from = 0; from < frames;) {
      const bin = this.#binAt(at + from);
      const to = Math.min(frames, this.#startOf(bin + 1) - at);
      if (bin >= 0 && bin < this.#squares.length) {
        let squares = 0;
        const end = offset + to * channels;
        for (let i = offset + from * channels; i < end; i += 1)
          squares += (pcm[i] as number) * (pcm[i] as number);
        this.#squares[bin] = (this.#squares[bin] as number) + squares;
        this.#counts[bin] = (this.#counts[bin] as number) + to - from;
      }
      from = to;
    }
  }

  silence(frames: number, at: number): void {
    const last = Math.min(this.#binAt(at + frames - 1), this.#squares.length - 1);
    for (let bin = Math.max(0, this.#binAt(at)); bin <= last; bin += 1) {
      const from = Math.max(at, this.#startOf(bin));
      const to = Math.min(at + frames, this.#startOf(bin + 1));
      this.#counts[bin] = (this.#counts[bin] as number) + to - from;
    }
  }

  finish(): Float32Array {
    return Float32Array.from(this.#squares, (squares, bin) => {
      const mean = squares / ((this.#counts[bin] as number) * this.#channels * FULL_SCALE);
      return mean > 0 ? Math.max(SILENCE_DB, 10 * Math.log10(mean)) : SILENCE_DB;
    });
  }

  #startOf(bin: number): number {
    return Math.ceil(((bin + this.firstBin) * this.#sampleRateHz) / LOUDNESS_BINS_PER_SEC);
  }

  #binAt(frame: number): number {
    return Math.floor((frame * LOUDNESS_BINS_PER_SEC) / this.#sampleRateHz) - this.firstBin;
  }
}

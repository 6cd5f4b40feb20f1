// Waveform files in the layout of BBC audiowaveform, version 2 (its docs/DataFormat.md and
// docs/JSONFormat.md), so that peaks.js, wavesurfer and `waveform-data` open them. Written as
// streams: eight hours at 32 samples a pixel are 160 MB.
import { StageError } from "../contract/errors.ts";

export interface WaveformHeader {
  sampleRateHz: number;
  samplesPerPixel: number;
  bits: 8 | 16;
  /** Pixels: pairs of a minimum and a maximum. */
  length: number;
}

export interface Waveform extends WaveformHeader {
  channels: number;
  /** Min, max, min, max, … at the file's own bits. */
  data: Int8Array | Int16Array;
}

/** Peaks of one range, as `decodeRange` measures them (16 bit). */
export interface RangePeaks {
  firstPixel: number;
  peaks: Int16Array;
}

type Many<T> = AsyncIterable<T> | Iterable<T>;

const HEADER_BYTES = { 1: 20, 2: 24 } as const;
const EIGHT_BIT = 1;

/** Peaks as they are kept between stages: little-endian 16-bit pairs. */
export const peaksToBytes = (peaks: Int16Array): Uint8Array =>
  new Uint8Array(peaks.buffer, peaks.byteOffset, peaks.byteLength);

/** @throws {StageError} `internal` where the bytes are not whole pairs */
export const bytesToPeaks = (bytes: Uint8Array): Int16Array => {
  if (bytes.length % 4 !== 0)
    throw new StageError("internal", "Kept peaks are damaged: not whole pairs.");
  return new Int16Array(Uint8Array.from(bytes).buffer); // a copy starts at an even place
};

/**
 * Peaks of ranges in order, as one run.
 * @throws {StageError} `internal` where a range does not begin where the last one ended
 */
export async function* joinPeaks(ranges: Many<RangePeaks>): AsyncGenerator<Int16Array> {
  let next: number | undefined;
  for await (const { firstPixel, peaks } of ranges) {
    if (next !== undefined && firstPixel !== next)
      throw new StageError("internal", `Peaks of pixel ${next} are missing or doubled.`);
    next = firstPixel + peaks.length / 2;
    yield peaks;
  }
}

/** 16-bit peaks at the bits asked for; 8 bit is rounded towards zero. */
const atBits = (peaks: Int16Array, bits: 8 | 16): Int8Array | Int16Array =>
  bits === 16 ? peaks : Int8Array.from(peaks, (value) => Math.trunc(value / 256));

/** Lets the peaks pass, and fails where there are more or fewer than the header says. */
async function* counted(
  header: WaveformHeader,
  peaks: Many<Int16Array>,
): AsyncGenerator<Int16Array> {
  let pairs = 0;
  for await (const run of peaks) {
    pairs += run.length / 2;
    yield run;
  }
  if (pairs !== header.length)
    throw new StageError("internal", `The waveform has ${pairs} pixels, not ${header.length}.`);
}

/**
 * A `.dat` file, piece by piece.
 * @throws {StageError} `internal` where the peaks are not as many as the header says
 */
export async function* waveformDat(
  header: WaveformHeader,
  peaks: Many<Int16Array>,
): AsyncGenerator<Uint8Array> {
  const bytes = new DataView(new ArrayBuffer(HEADER_BYTES[2]));
  const fields = [2, header.bits === 8 ? EIGHT_BIT : 0, header.sampleRateHz];
  for (const [i, value] of [...fields, header.samplesPerPixel, header.length, 1].entries())
    bytes.setInt32(i * 4, value, true);
  yield new Uint8Array(bytes.buffer);
  for await (const run of counted(header, peaks)) {
    const { buffer, byteOffset, byteLength } = atBits(run, header.bits);
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}

/**
 * The same as JSON text, piece by piece.
 * @throws {StageError} `internal` where the peaks are not as many as the header says
 */
export async function* waveformJson(
  header: WaveformHeader,
  peaks: Many<Int16Array>,
): AsyncGenerator<string> {
  const { sampleRateHz: sample_rate, samplesPerPixel: samples_per_pixel, bits, length } = header;
  const fields = { version: 2, channels: 1, sample_rate, samples_per_pixel, bits, length };
  yield `${JSON.stringify(fields).slice(0, -1)},"data":[`;
  let separator = "";
  for await (const run of counted(header, peaks)) {
    const values = atBits(run, bits);
    for (let from = 0; from < values.length; from += 16_384) {
      yield separator + values.subarray(from, from + 16_384).join(",");
      separator = ",";
    }
  }
  yield "]}";
}

const refuse = (why: string): never => {
  throw new StageError("invalid_media", `This is not a waveform file: ${why}.`);
};

/**
 * Reads a `.dat` file of version 1 or 2.
 * @throws {StageError} `invalid_media` where the header is wrong or does not agree with the length
 */
export const readWaveformDat = (bytes: Uint8Array): Waveform => {
  if (bytes.length < HEADER_BYTES[1]) return refuse("it is shorter than a header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (n: number): number => view.getInt32(n * 4, true);
  const version = field(0);
  if (version !== 1 && version !== 2) return refuse(`its version is ${version}`);
  const headerBytes = HEADER_BYTES[version];
  if (bytes.length < headerBytes) return refuse("it is shorter than a header");
  const bits = (field(1) & EIGHT_BIT) === 0 ? 16 : 8;
  const [sampleRateHz, samplesPerPixel, length] = [field(2), field(3), field(4)];
  const channels = version === 2 ? field(5) : 1;
  if (sampleRateHz <= 0 || samplesPerPixel <= 0 || length < 0 || channels <= 0)
    return refuse("a field of its header is out of range");
  const dataBytes = (length * channels * 2 * bits) / 8;
  if (bytes.length - headerBytes !== dataBytes)
    return refuse(`it holds ${bytes.length - headerBytes} bytes of data instead of ${dataBytes}`);
  // A copy: a Buffer's own slice would still begin in the middle of another buffer.
  const { buffer } = Uint8Array.from(bytes.subarray(headerBytes));
  const data = bits === 8 ? new Int8Array(buffer) : new Int16Array(buffer);
  return { sampleRateHz, samplesPerPixel, bits, length, channels, data };
};

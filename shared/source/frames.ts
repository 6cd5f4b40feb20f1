// MP3 and ADTS files are nothing but frames: no index, no times. FFmpeg would read such a file from
// its beginning for every range; so it is read once, its frames counted, and where every so many of
// them begin is kept.
import type { z } from "zod";
import { type ByteSource, readRange } from "./byteSource.ts";
import type { FrameIndex } from "./description.ts";
import { adtsFrameBytes, id3Bytes, mpegFrameBytes } from "./sniff.ts";

export interface FrameScan {
  index: z.infer<typeof FrameIndex>;
  durationSec: number;
  channels: number;
  /** The file says that it has more frames. */
  truncated: boolean;
}

/** Apart from each other, the points that are kept. */
const POINT_SEC = 20;
/** Longest stretch without a frame that is looked through before the rest is given up. */
const MAX_JUNK_BYTES = 2 ** 20;
const LONGEST_FRAME_BYTES = 8192;
/** An MP3 decoder's own delay, samples (528 of the filter bank, and one). */
const MP3_DECODER_DELAY = 529;

const ADTS_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
  7350,
];

interface Header {
  sampleRateHz: number;
  channels: number;
  samples: number;
}

const readAdts = (bytes: Uint8Array, at: number): Header => {
  const [b2 = 0, b3 = 0] = [bytes[at + 2], bytes[at + 3]];
  const configuration = ((b2 & 1) << 2) | (b3 >> 6);
  return {
    sampleRateHz: ADTS_RATES[(b2 >> 2) & 15] ?? 44_100,
    channels: configuration === 7 ? 8 : configuration || 2,
    samples: 1024 * (((bytes[at + 6] ?? 0) & 3) + 1),
  };
};

const readMpeg = (bytes: Uint8Array, at: number): Header => {
  const [b1 = 0, b2 = 0, b3 = 0] = bytes.subarray(at + 1, at + 4);
  const version = (b1 >> 3) & 3;
  const layer = 4 - ((b1 >> 1) & 3);
  const divisor = version === 3 ? 0 : version === 2 ? 1 : 2;
  return {
    sampleRateHz: ([44_100, 48_000, 32_000][(b2 >> 2) & 3] ?? 44_100) >> divisor,
    channels: b3 >> 6 === 3 ? 1 : 2,
    samples: layer === 1 ? 384 : layer === 3 && version !== 3 ? 576 : 1152,
  };
};

interface XingHeader {
  frames: number | null;
  /** Samples that the encoder put before and after the sound. */
  delay: number;
  padding: number;
}

/** The header frame that encoders put first (Xing, Info; with LAME's extension), or null. */
const readXing = (frame: Buffer): XingHeader | null => {
  const mono = (frame[3] ?? 0) >> 6 === 3;
  const mpeg1 = (((frame[1] ?? 0) >> 3) & 3) === 3;
  const at = 4 + (mpeg1 ? (mono ? 17 : 32) : mono ? 9 : 17);
  const name = frame.toString("latin1", at, at + 4);
  if (name !== "Xing" && name !== "Info") return null;
  if (at + 8 > frame.length) return null;
  const flags = frame.readUInt32BE(at + 4);
  let field = at + 8;
  const frames = flags & 1 && field + 4 <= frame.length ? frame.readUInt32BE(field) : null;
  field += (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
  if (field + 24 > frame.length) return { frames, delay: 0, padding: 0 };
  const packed = frame.readUIntBE(field + 21, 3);
  const delay = packed >> 12;
  return delay === 0
    ? { frames, delay: 0, padding: 0 }
    : { frames, delay: delay + MP3_DECODER_DELAY, padding: (packed & 0xfff) - MP3_DECODER_DELAY };
};

/**
 * Reads the whole file once.
 * @returns null where there is no frame in it
 */
export const scanFrames = async (
  source: ByteSource,
  demuxer: "mp3" | "aac",
  signal?: AbortSignal,
): Promise<FrameScan | null> => {
  const frameBytes = demuxer === "mp3" ? mpegFrameBytes : adtsFrameBytes;
  const readHeader = demuxer === "mp3" ? readMpeg : readAdts;
  const points: { byte: number; sample: number }[] = [];
  let first: Header | null = null;
  let xing: XingHeader | null = null;
  let frames = 0;
  let samples = 0;
  let junk = 0;
  /** Bytes that are not looked at yet, and where they lie in the file. */
  let rest: Buffer = Buffer.alloc(0);
  let restAt = 0;

  const take = (last: boolean): void => {
    let at = 0;
    const keep = last ? 0 : LONGEST_FRAME_BYTES;
    while (rest.length - at > keep) {
      const length = frameBytes(rest, at);
      const header = length === null ? null : readHeader(rest, at);
      // The sound keeps its rate; a header that says otherwise is chance.
      if (length === null || (first && header?.sampleRateHz !== first.sampleRateHz)) {
        at += 1;
        junk += 1;
        continue;
      }
      if (last && at + length > rest.length) break;
      junk = 0;
      if (frames === 0 && samples === 0 && demuxer === "mp3" && xing === null) {
        xing = readXing(rest.subarray(at, at + length));
        if (xing) {
          at += length;
          continue;
        }
      }
      first ??= header as Header;
      if (samples >= points.length * POINT_SEC * first.sampleRateHz) {
        points.push({ byte: restAt + at, sample: samples });
      }
      samples += (header as Header).samples;
      frames += 1;
      at += length;
    }
    rest = rest.subarray(at);
    restAt += at;
  };

  let tag: number | null = null;
  for await (const chunk of readRange(source, 0, source.sizeBytes, signal)) {
    tag ??= id3Bytes(chunk);
    const body = chunk.subarray(tag);
    restAt += chunk.length - body.length;
    tag -= chunk.length - body.length;
    rest = rest.length === 0 ? body : Buffer.concat([rest, body]);
    take(false);
    if (junk > MAX_JUNK_BYTES) break;
  }
  take(true);
  const found = first as Header | null;
  if (found === null) return null;
  const declared = xing as XingHeader | null;
  const cut = declared?.frames ? declared.frames - frames : 0;
  const skipSamples = declared?.delay ?? 0;
  const padding = cut > 0 ? 0 : Math.max(0, declared?.padding ?? 0);
  return {
    index: { sampleRateHz: found.sampleRateHz, skipSamples, points },
    durationSec: Math.max(0, samples - skipSamples - padding) / found.sampleRateHz,
    channels: found.channels,
    truncated: cut * found.samples > found.sampleRateHz,
  };
};

/** Where to read from for a stretch, and the sample that begins there. */
export const framesAround = (
  index: z.infer<typeof FrameIndex>,
  startSec: number,
  endSec: number,
  sizeBytes: number,
): { fromByte: number; toByte: number; sample: number } => {
  const sampleAt = (sec: number): number => sec * index.sampleRateHz + index.skipSamples;
  const from = index.points.findLast(({ sample }) => sample <= sampleAt(startSec));
  const to = index.points.find(({ sample }) => sample >= sampleAt(endSec));
  const begin = from ?? index.points[0];
  return { fromByte: begin?.byte ?? 0, toByte: to?.byte ?? sizeBytes, sample: begin?.sample ?? 0 };
};

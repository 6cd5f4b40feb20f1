// How long a FLAC file is, by its header and its last frame: the header says how long it was meant
// to be, the last frame how far it got. Nothing between is read (RFC 9639).
import { type ByteSource, readBytes } from "./byteSource.ts";

export interface FlacLength {
  durationSec: number;
  sampleRateHz: number;
  channels: number;
  truncated: boolean;
}

/** More than the longest frame of any sane encoder. */
const TAIL_BYTES = 256 * 1024;

/** CRC-8 with the polynomial 0x07, which ends every frame's header. */
const crc8 = (bytes: Uint8Array): number => {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80 ? ((crc << 1) ^ 7) & 0xff : crc << 1;
  }
  return crc;
};

/** A frame's number (of a frame or a sample) and where the header goes on; null where it is none. */
const codedNumber = (bytes: Buffer, at: number): { value: number; end: number } | null => {
  const first = bytes[at] ?? 0xff;
  const length = first < 0x80 ? 1 : Math.clz32(~(first << 24));
  if (length === 0 || length > 7 || (length === 1 && first >= 0x80)) return null;
  let value = length === 1 ? first : first & (0x7f >> length);
  for (let i = 1; i < length; i += 1) {
    const next = bytes[at + i] ?? 0;
    if (next >> 6 !== 2) return null;
    value = value * 64 + (next & 63);
  }
  return { value, end: at + length };
};

/** First sample after the frame that begins here; null where no frame does. */
const frameEnd = (bytes: Buffer, at: number, blockSamples: number): number | null => {
  if (bytes[at] !== 0xff || ((bytes[at + 1] ?? 0) & 0xfe) !== 0xf8) return null;
  const variable = ((bytes[at + 1] ?? 0) & 1) === 1;
  const number = codedNumber(bytes, at + 4);
  if (number === null) return null;
  const sizeCode = (bytes[at + 2] ?? 0) >> 4;
  const rateCode = (bytes[at + 2] ?? 0) & 15;
  const sizeBytes = sizeCode === 6 ? 1 : sizeCode === 7 ? 2 : 0;
  const end = number.end + sizeBytes + (rateCode === 12 ? 1 : rateCode >= 13 ? 2 : 0);
  if (sizeCode === 0 || rateCode === 15 || end >= bytes.length) return null;
  if (crc8(bytes.subarray(at, end)) !== bytes[end]) return null;
  const samples =
    sizeBytes > 0
      ? bytes.readUIntBE(number.end, sizeBytes) + 1
      : sizeCode === 1
        ? 192
        : sizeCode <= 5
          ? 576 << (sizeCode - 2)
          : 256 << (sizeCode - 8);
  return (variable ? number.value : number.value * blockSamples) + samples;
};

/** @returns null where the header does not say enough; the file is then read another way */
export const flacLength = async (
  source: ByteSource,
  signal?: AbortSignal,
): Promise<FlacLength | null> => {
  const head = await readBytes(source, 0, 42, signal);
  if (head.length < 42 || head.toString("latin1", 0, 4) !== "fLaC" || (head[4] ?? 0) & 0x7f) {
    return null;
  }
  const blockSamples = head.readUInt16BE(8);
  const packed = head.readUIntBE(18, 4);
  const sampleRateHz = packed >>> 12;
  const channels = ((packed >>> 9) & 7) + 1;
  const declared = (head.readUInt8(21) & 15) * 2 ** 32 + head.readUInt32BE(22);
  if (sampleRateHz === 0 || declared === 0 || blockSamples !== head.readUInt16BE(10)) return null;
  const from = Math.max(42, source.sizeBytes - TAIL_BYTES);
  const tail = await readBytes(source, from, source.sizeBytes, signal);
  for (let at = tail.length - 6; at >= 0; at -= 1) {
    const end = frameEnd(tail, at, blockSamples);
    if (end === null || end > declared) continue;
    const truncated = declared - end > sampleRateHz / 10;
    return {
      durationSec: (truncated ? end : declared) / sampleRateHz,
      sampleRateHz,
      channels,
      truncated,
    };
  }
  return null;
};

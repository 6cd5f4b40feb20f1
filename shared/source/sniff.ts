// What a file is, by its first bytes: never by its name or by what a server calls it. The answer
// names FFmpeg's demuxer, so that FFmpeg is never left to guess.

/** Demuxers that a source may be read with. */
export const DEMUXERS = [
  "mov",
  "matroska",
  "mpegts",
  "mpeg",
  "mp3",
  "aac",
  "wav",
  "flac",
  "ogg",
  "aiff",
  "avi",
  "flv",
  "asf",
] as const;
export type Demuxer = (typeof DEMUXERS)[number];

export type Sniffed =
  | { kind: "media"; demuxer: Demuxer }
  | { kind: "playlist" }
  | { kind: "unknown" };

/** Bytes that `sniff` wants to see, where the file has them. */
export const SNIFF_BYTES = 64 * 1024;

const MOV_BOXES = new Set([
  "ftyp",
  "moov",
  "mdat",
  "free",
  "skip",
  "wide",
  "pnot",
  "styp",
  "moof",
  "sidx",
]);
const ASF_GUID = "3026b2758e66cf11";

const ascii = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

/** Length of an MPEG audio frame with this header, bytes; null where it is none. */
export const mpegFrameBytes = (bytes: Uint8Array, at: number): number | null => {
  const [b0 = 0, b1 = 0, b2 = 0] = bytes.subarray(at, at + 3);
  if (b0 !== 0xff || (b1 & 0xe0) !== 0xe0) return null;
  const version = (b1 >> 3) & 3;
  const layer = 4 - ((b1 >> 1) & 3);
  const bitrateIndex = b2 >> 4;
  const rateIndex = (b2 >> 2) & 3;
  if (version === 1 || layer === 4 || rateIndex === 3 || bitrateIndex % 15 === 0) return null;
  const kbps = KBPS[version === 3 ? 0 : 1]?.[layer - 1]?.[bitrateIndex - 1];
  const rate =
    ([44_100, 48_000, 32_000][rateIndex] ?? 0) >> (version === 3 ? 0 : version === 2 ? 1 : 2);
  if (kbps === undefined || rate === 0) return null;
  const padding = (b2 >> 1) & 1;
  if (layer === 1) return (Math.floor((12_000 * kbps) / rate) + padding) * 4;
  const samples = layer === 3 && version !== 3 ? 72_000 : 144_000;
  return Math.floor((samples * kbps) / rate) + padding;
};

// Bit rates of MPEG-1 and MPEG-2/2.5 (ISO 11172-3 and 13818-3), by layer, in kbit/s.
const KBPS = [
  [
    [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  ],
  [
    [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  ],
];

/** Length of an ADTS frame with this header, bytes; null where it is none. */
export const adtsFrameBytes = (bytes: Uint8Array, at: number): number | null => {
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0] = bytes.subarray(at, at + 6);
  if (b0 !== 0xff || (b1 & 0xf6) !== 0xf0 || ((b2 >> 2) & 15) > 12) return null;
  const length = ((b3 & 3) << 11) | (b4 << 3) | (b5 >> 5);
  return length < 7 ? null : length;
};

/** Whether two frames follow each other from here; one alone is too easily chance. */
const twoFrames = (
  bytes: Uint8Array,
  at: number,
  frameBytes: (bytes: Uint8Array, at: number) => number | null,
): boolean => {
  const first = frameBytes(bytes, at);
  if (first === null) return false;
  return at + first + 6 > bytes.length || frameBytes(bytes, at + first) !== null;
};

const isTransportStream = (bytes: Uint8Array): boolean =>
  [188, 192, 204].some((packet) => {
    const offset = packet === 192 ? 4 : 0;
    const count = Math.min(5, Math.floor((bytes.length - offset) / packet));
    return (
      count >= 1 &&
      Array.from({ length: count }, (_, i) => bytes[offset + i * packet]).every((b) => b === 0x47)
    );
  });

/** Bytes of an ID3v2 tag at the front, 0 without one. */
export const id3Bytes = (head: Uint8Array): number => {
  if (head.length < 10 || ascii(head, 0, 3) !== "ID3") return 0;
  const [a = 0, b = 0, c = 0, d = 0] = head.subarray(6, 10);
  return 10 + ((a & 127) << 21) + ((b & 127) << 14) + ((c & 127) << 7) + (d & 127);
};

const media = (demuxer: Demuxer): Sniffed => ({ kind: "media", demuxer });

/**
 * @param head the file's first bytes, as many as `SNIFF_BYTES`
 * @param afterTag bytes right after an ID3v2 tag that is longer than `head`
 */
export const sniff = (head: Uint8Array, afterTag?: Uint8Array): Sniffed => {
  const four = ascii(head, 0, 4);
  if (MOV_BOXES.has(ascii(head, 4, 4))) return media("mov");
  if (four === "\u001aE\u00df\u00a3") return media("matroska");
  if (four === "RIFF" || four === "RF64" || four === "BW64") {
    const form = ascii(head, 8, 4);
    if (form === "WAVE") return media("wav");
    if (form === "AVI ") return media("avi");
  }
  if (four === "fLaC") return media("flac");
  if (four === "OggS") return media("ogg");
  if (four === "FORM" && ascii(head, 8, 3) === "AIF") return media("aiff");
  if (ascii(head, 0, 3) === "FLV") return media("flv");
  if (Buffer.from(head.subarray(0, 8)).toString("hex") === ASF_GUID) return media("asf");
  if (four === "\u0000\u0000\u0001\u00ba") return media("mpeg");
  if (isTransportStream(head)) return media("mpegts");
  const text = Buffer.from(head.subarray(0, 64))
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  if (/^\s*#EXTM3U/.test(text)) return { kind: "playlist" };

  const tag = id3Bytes(head);
  const body = tag < head.length ? head.subarray(tag) : (afterTag ?? new Uint8Array());
  if (tag > 0 && ascii(body, 0, 4) === "fLaC") return media("flac");
  // Some encoders put silence or junk before the first frame.
  for (let at = 0; at < Math.min(body.length - 6, 4096); at += 1) {
    if (body[at] !== 0xff) continue;
    if (twoFrames(body, at, adtsFrameBytes)) return media("aac");
    if (twoFrames(body, at, mpegFrameBytes)) return media("mp3");
  }
  return { kind: "unknown" };
};

/** Bytes that a RIFF file says it has; null where it is none, or was written to a pipe. */
export const riffBytes = (head: Uint8Array): number | null => {
  if (head.length < 12 || ascii(head, 0, 4) !== "RIFF") return null;
  const size = Buffer.from(head.subarray(4, 8)).readUInt32LE(0);
  return size === 0 || size >= 0xffff_fff0 ? null : size + 8;
};

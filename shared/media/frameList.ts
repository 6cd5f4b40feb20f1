// The list of frames that ffmpeg's `framecrc` muxer writes: the one way to have raw samples on one
// pipe and their exact timestamps on another.
import type { Readable } from "node:stream";

export interface ListedFrame {
  ptsSec: number;
  sizeBytes: number;
}

/**
 * Reads lines such as `#tb 0: 1/44100` and `0, 1024, 1024, 1024, 4096, 0x3b813f83`
 * (stream, dts, pts, duration, bytes, checksum) until the stream ends.
 */
export const readFrameList = async (
  stream: Readable,
  onFrame: (frame: ListedFrame) => void,
): Promise<void> => {
  let secPerTick = 0;
  let rest = "";
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("#")) {
        const timeBase = /^#tb 0: (\d+)\/(\d+)/.exec(line);
        if (timeBase) secPerTick = Number(timeBase[1]) / Number(timeBase[2]);
        continue;
      }
      const [, , pts, , size] = line.split(",");
      onFrame({ ptsSec: Number(pts) * secPerTick, sizeBytes: Number(size) });
    }
  }
};

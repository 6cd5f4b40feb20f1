// Loudness of a sound or video file, as the pipeline measures it.
import { checkExit, findFfmpeg, startFfmpeg } from "#shared/media/ffmpeg.ts";
import { LOUDNESS_BINS_PER_SEC, LoudnessMeter } from "#shared/media/meters.ts";

const SAMPLE_RATE_HZ = 16_000;
const MAX_HOURS = 24;

/**
 * @returns level of every 100 ms in dB below full scale
 * @throws {StageError} `invalid_media` where nothing can be decoded
 */
export const loudnessOfFile = async (path: string): Promise<Float32Array> => {
  const toPcm = ["-map", "0:a:0", "-ac", "1", "-ar", String(SAMPLE_RATE_HZ), "-f", "s16le"];
  const child = startFfmpeg(await findFfmpeg(), ["-i", path, ...toPcm, "pipe:1"]);
  const end = MAX_HOURS * 3600 * SAMPLE_RATE_HZ;
  const meter = new LoudnessMeter(0, end, 1, SAMPLE_RATE_HZ);
  let frames = 0;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const whole = bytes.length >> 1;
    const pcm = new Int16Array(whole);
    for (let i = 0; i < whole; i += 1) pcm[i] = bytes.readInt16LE(i * 2);
    meter.sound(pcm, 0, whole, frames);
    frames += whole;
    rest = bytes.subarray(whole * 2);
  }
  checkExit(await child.exited, `No sound can be decoded from ${path}.`);
  return meter.finish().slice(0, Math.ceil((frames / SAMPLE_RATE_HZ) * LOUDNESS_BINS_PER_SEC));
};

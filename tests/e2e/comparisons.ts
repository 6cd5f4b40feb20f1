// How results are held against others: a waveform against plainly read sound, words against what was
// said, a piece of sound against the whole it is cut from.
import { decoded } from "./outsideTools.ts";

export interface Sampling {
  sampleRateHz: number;
  samplesPerPixel: number;
  bits: number;
  channels: number;
}

/**
 * The waveform by another decoder and the plainest reading of audiowaveform's rules.
 * @returns min, max, min, max, …
 */
export const plainPeaks = async (
  ffmpeg: string,
  file: string,
  { sampleRateHz, samplesPerPixel, bits, channels }: Sampling,
): Promise<number[]> => {
  const as = ["-map", "0:a:0", "-ar", `${sampleRateHz}`, "-f", "s16le"];
  const bytes = await decoded(ffmpeg, ["-i", file, ...as]);
  const pcm = new Int16Array(Uint8Array.from(bytes).buffer);
  const peaks: number[] = [];
  const step = channels * samplesPerPixel;
  for (let from = 0; from < pcm.length; from += step) {
    let [min, max] = [Infinity, -Infinity];
    for (let i = from; i < Math.min(from + step, pcm.length); i += channels) {
      // Of one channel, twice itself.
      const mean = Math.trunc(((pcm[i] as number) + (pcm[i + channels - 1] as number)) / 2);
      [min, max] = [Math.min(min, mean), Math.max(max, mean)];
    }
    peaks.push(...[min, max].map((v) => (bits === 8 ? Math.trunc(v / 256) : v) + 0));
  }
  return peaks;
};

/** Lower case, without punctuation. */
export const words = (text: string): string[] => text.toLowerCase().match(/[a-z']+/g) ?? [];

/** Edits that make one text of the other, by the reference's length. */
export const wordErrorRate = (heard: string[], said: string[]): number => {
  let row = Array.from({ length: said.length + 1 }, (_, i) => i);
  for (const [i, word] of heard.entries()) {
    const next = [i + 1];
    for (const [j, other] of said.entries()) {
      const swapped = (row[j] as number) + (word === other ? 0 : 1);
      next.push(Math.min(swapped, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return (row.at(-1) as number) / said.length;
};

/** Where the samples of `part` lie in `whole` around a place, in samples. */
export const bestLag = (part: Int16Array, whole: Int16Array, at: number, reach: number): number => {
  let [best, bestSum] = [0, -Infinity];
  for (let lag = -reach; lag <= reach; lag += 1) {
    let sum = 0;
    for (let i = 0; i < part.length; i += 1)
      sum += (part[i] as number) * (whole[at + lag + i] ?? 0);
    if (sum > bestSum) [best, bestSum] = [lag, sum];
  }
  return best;
};

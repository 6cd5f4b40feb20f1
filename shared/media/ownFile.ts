// What is inside an mp4 that we made ourselves: exact lengths, and whether two of them agree.
import { StageError } from "../contract/errors.ts";

export interface OwnFile {
  /** End of the last frame or sample, seconds. */
  durationSec: number;
  video: {
    durationSec: number;
    width: number;
    height: number;
    fps: number;
    /** Equal where pictures can follow one another in one track. */
    decoderConfig: string;
  } | null;
  audio: { durationSec: number; sampleRateHz: number; channels: number } | null;
}

/** @throws {StageError} `internal` where the file cannot be read */
export const describeOwnFile = async (path: string): Promise<OwnFile> => {
  // Loaded when first needed: functions that make no clips start without it.
  const { FilePathSource, Input, MP4 } = await import("mediabunny");
  const input = new Input({ source: new FilePathSource(path), formats: [MP4] });
  try {
    const video = await input.getPrimaryVideoTrack();
    const audio = await input.getPrimaryAudioTrack();
    const config = await video?.getDecoderConfig();
    const description = config?.description as Uint8Array | ArrayBuffer | undefined;
    return {
      durationSec: video || audio ? await input.computeDuration() : 0,
      video: video && {
        durationSec: await video.computeDuration(),
        width: await video.getCodedWidth(),
        height: await video.getCodedHeight(),
        fps: (await video.computePacketStats(100)).averagePacketRate,
        decoderConfig: description
          ? Buffer.from(description as Uint8Array).toString("base64")
          : "none",
      },
      audio: audio && {
        durationSec: await audio.computeDuration(),
        sampleRateHz: await audio.getSampleRate(),
        channels: await audio.getNumberOfChannels(),
      },
    };
  } catch (cause) {
    throw new StageError("internal", "A rendered file cannot be read.", { cause });
  } finally {
    input.dispose();
  }
};

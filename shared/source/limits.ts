// How much of a source is read.
import { StageError } from "../contract/errors.ts";

export interface SourceLimits {
  maxDurationSec: number;
  maxBytes: number;
  maxSegments: number;
}

const hours = (sec: number): string => {
  const minutes = Math.round(sec / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** @throws {StageError} `video_too_long` */
export const checkDuration = (durationSec: number, limits: SourceLimits): void => {
  if (durationSec <= limits.maxDurationSec) return;
  throw new StageError(
    "video_too_long",
    `The video is ${hours(durationSec)} long; the limit is ${hours(limits.maxDurationSec)}.`,
  );
};

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** @throws {StageError} `video_too_large` */
export const checkSize = (sizeBytes: number, limits: SourceLimits): void => {
  if (sizeBytes <= limits.maxBytes) return;
  throw new StageError(
    "video_too_large",
    `The file has ${gib(sizeBytes)}; the limit is ${gib(limits.maxBytes)}.`,
  );
};

// Where the runs of an HLS rendition lie in time. A playlist's durations are rounded and their sum
// drifts; the samples' own times do not. So the first and the last segment of each run are looked
// at, the run gets the presentation time it begins with, and its durations are stretched to fit.
import type { HlsRendition, HlsSegment } from "./description.ts";

/** MPEG-TS counts to 2^33 ticks of 90 kHz, which is 26.5 hours. */
export const PTS_WRAP_SEC = 2 ** 33 / 90_000;

/** Durations differ from the samples' times by less than this without being wrong. */
const DRIFT_FLOOR_SEC = 0.05;
/** Beyond this share something else is going on: a jump in the times that the playlist hides. */
const MAX_STRETCH = 0.05;

/** `ptsSec` moved by whole wraps to where it is nearest to `expectedSec`. */
export const unwrapPts = (ptsSec: number, expectedSec: number): number =>
  ptsSec + Math.round((expectedSec - ptsSec) / PTS_WRAP_SEC) * PTS_WRAP_SEC;

export interface Run {
  discontinuity: number;
  segments: HlsSegment[];
}

/** The segments between discontinuities, in order. */
export const runsOf = (segments: HlsSegment[]): Run[] => {
  const runs: Run[] = [];
  for (const segment of segments) {
    const run = runs.at(-1);
    if (run?.discontinuity === segment.discontinuity) run.segments.push(segment);
    else runs.push({ discontinuity: segment.discontinuity, segments: [segment] });
  }
  return runs;
};

/** First presentation times found in a run's first and last segment; null where nothing was. */
export interface RunTimes {
  firstPtsSec: number | null;
  lastPtsSec: number | null;
}

/** Lays the runs one after another with durations that fit the times. */
export const fitToTimes = (
  segments: HlsSegment[],
  times: Map<number, RunTimes>,
): Pick<HlsRendition, "segments" | "basePtsSec"> => {
  const fitted: HlsSegment[] = [];
  const basePtsSec: Record<string, number> = {};
  let shiftSec = 0;
  for (const { discontinuity, segments: run } of runsOf(segments)) {
    const firstStart = run[0]?.startSec ?? 0;
    const lastStart = run.at(-1)?.startSec ?? firstStart;
    const { firstPtsSec, lastPtsSec } = times.get(discontinuity) ?? {
      firstPtsSec: null,
      lastPtsSec: null,
    };
    const nominal = lastStart - firstStart;
    let stretch = 1;
    let trusted = firstPtsSec !== null;
    if (firstPtsSec !== null && lastPtsSec !== null && nominal > 0) {
      const actual = unwrapPts(lastPtsSec, firstPtsSec + nominal) - firstPtsSec;
      const drift = Math.abs(actual - nominal);
      if (drift > nominal * MAX_STRETCH + 1) trusted = false;
      else if (drift > DRIFT_FLOOR_SEC) stretch = actual / nominal;
    }
    if (trusted && firstPtsSec !== null) basePtsSec[discontinuity] = firstPtsSec;
    for (const segment of run) {
      const startSec = firstStart + shiftSec + (segment.startSec - firstStart) * stretch;
      fitted.push({ ...segment, startSec, durationSec: segment.durationSec * stretch });
    }
    shiftSec += nominal * (stretch - 1) + (run.at(-1)?.durationSec ?? 0) * (stretch - 1);
  }
  return { segments: fitted, basePtsSec };
};

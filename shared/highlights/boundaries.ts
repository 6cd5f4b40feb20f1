// Where a moment is cut: in a pause of the speech, else where the sound is lowest, so that no word is
// cut in two, within the shortest and longest length asked for and clear of its neighbours.
import type { Segment, Word } from "../contract/transcript.ts";

/** A silence between two words that a cut can hide in. */
interface Pause {
  startSec: number;
  endSec: number;
}

const MIN_PAUSE_SEC = 0.2;
/** How far a cut is moved to find a pause. */
const REACH_SEC = 3;
/** Kept of the pause before the first word, so that it is not clipped. */
const LEAD_SEC = 0.15;
/** Kept after the last word. */
const TAIL_SEC = 0.35;

export interface Span {
  startSec: number;
  endSec: number;
}

/** The pauses of what was said, the time before the first word and after the last among them. */
export const pausesOf = (
  words: readonly Word[],
  segments: readonly Segment[],
  durationSec: number,
): Pause[] => {
  const spoken = (words.length > 0 ? words : segments)
    .map(({ startSec, endSec }) => ({ startSec, endSec }))
    .sort((a, b) => a.startSec - b.startSec);
  const pauses: Pause[] = [];
  if (spoken.length === 0) return pauses;
  let quietFrom = 0;
  for (const { startSec, endSec } of spoken) {
    if (startSec - quietFrom >= MIN_PAUSE_SEC)
      pauses.push({ startSec: quietFrom, endSec: startSec });
    quietFrom = Math.max(quietFrom, endSec);
  }
  if (durationSec - quietFrom >= MIN_PAUSE_SEC) {
    pauses.push({ startSec: quietFrom, endSec: durationSec });
  }
  return pauses;
};

const clampTo = (sec: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, sec));

/** The best place in a pause for a cut that was wanted at `sec`. */
const cutIn = (pause: Pause, sec: number, edge: "start" | "end"): number => {
  const room = pause.endSec - pause.startSec;
  const tail = Math.min(TAIL_SEC, room / 2);
  const lead = Math.min(LEAD_SEC, room / 2);
  // Any place in a long pause is good; near its ends the words keep a little silence.
  return edge === "start"
    ? clampTo(sec, pause.startSec + tail, pause.endSec - lead)
    : clampTo(sec, pause.startSec + Math.min(tail, room - lead), pause.endSec - lead);
};

/** Seconds from `low` to `high` near `sec` where the sound is lowest, the nearer the better. */
const quietestSec = (
  loudnessDb: readonly (number | null)[],
  sec: number,
  low: number,
  high: number,
): number => {
  let best = clampTo(sec, low, high);
  let bestCost = Number.POSITIVE_INFINITY;
  for (let at = Math.ceil(low); at <= Math.floor(high); at += 1) {
    // A cut between two seconds is heard on both sides.
    const level = Math.max(loudnessDb[at - 1] ?? -100, loudnessDb[at] ?? -100);
    const cost = level + 2 * Math.abs(at - sec);
    if (cost < bestCost) [best, bestCost] = [at, cost];
  }
  return best;
};

export interface Cuts {
  pauses: readonly Pause[];
  loudnessDb: readonly (number | null)[];
  /** Whether there is sound at all to look for quiet in. */
  hasSound: boolean;
}

/** Moves a cut wanted at `sec` to the best place between `low` and `high`, at most 3 s away. */
const moveCut = (
  cuts: Cuts,
  sec: number,
  low: number,
  high: number,
  edge: "start" | "end",
): number => {
  const from = Math.max(low, sec - REACH_SEC);
  const to = Math.min(high, sec + REACH_SEC);
  const wanted = clampTo(sec, low, high);
  if (from >= to) return wanted;
  let best: number | undefined;
  // Pauses are in order; those of a video number some thousands, and a video has some ten moments.
  for (const pause of cuts.pauses) {
    if (pause.endSec < from) continue;
    if (pause.startSec > to) break;
    const at = cutIn(pause, sec, edge);
    if (at < from || at > to) continue;
    if (best === undefined || Math.abs(at - sec) < Math.abs(best - sec)) best = at;
  }
  if (best !== undefined) return best;
  return cuts.hasSound ? quietestSec(cuts.loudnessDb, sec, from, to) : wanted;
};

/**
 * The span moved to good cuts, between `minSec` and `maxSec` long, inside `free`.
 *
 * @param free where the moment may lie; at least `minSec` long
 */
export const placeCuts = (
  wanted: Span,
  free: Span,
  minSec: number,
  maxSec: number,
  cuts: Cuts,
): Span => {
  const length = clampTo(wanted.endSec - wanted.startSec, minSec, maxSec);
  // Grown on both sides alike, then pushed inside the free room.
  const middle = (wanted.startSec + wanted.endSec) / 2;
  const start = clampTo(
    middle - length / 2,
    free.startSec,
    Math.max(free.startSec, free.endSec - length),
  );
  const startSec = moveCut(
    cuts,
    start,
    free.startSec,
    Math.max(free.startSec, free.endSec - minSec),
    "start",
  );
  const end = Math.min(free.endSec, start + length);
  const endSec = moveCut(
    cuts,
    end,
    Math.min(free.endSec, startSec + minSec),
    Math.min(free.endSec, startSec + maxSec),
    "end",
  );
  return { startSec, endSec };
};

// Cuts a chat replay into time windows, one task each, and adds up what their fetching found out.

export interface ChatWindow {
  /** Messages with `startSec <= offset < endSec` are the window's; seconds after time zero. */
  startSec: number;
  endSec: number;
  /** The last window also has every message after its end. */
  openEnded: boolean;
}

/**
 * Windows that together have every message exactly once.
 * @param durationSec  length of the video
 * @param windowSec    length of a window, default 15 min; longer where there would be too many
 * @param startSec     begin here, default 0 (which also takes messages from before time zero)
 * @param endSec       end here, and leave out what comes after; default: the video's end and later
 */
export const planWindows = (
  durationSec: number,
  {
    windowSec = 900,
    maxWindows = 64,
    startSec = 0,
    endSec,
  }: { windowSec?: number; maxWindows?: number; startSec?: number; endSec?: number } = {},
): ChatWindow[] => {
  const lastSec = Math.max(startSec, Math.min(endSec ?? durationSec, durationSec));
  const lengthSec = Math.max(windowSec, Math.ceil((lastSec - startSec) / maxWindows));
  // Windows meet on whole seconds, since that is how the site asks and answers.
  const origin = Math.floor(startSec);
  const windows: ChatWindow[] = [];
  for (let at = startSec, index = 1; windows.length === 0 || at < lastSec; index += 1) {
    const end = Math.min(lastSec, origin + index * lengthSec);
    windows.push({ startSec: at, endSec: end, openEnded: false });
    at = end;
  }
  const last = windows.at(-1) as ChatWindow;
  last.openEnded = endSec === undefined || endSec >= durationSec;
  return windows;
};

/**
 * How much of a chat is certain to be there. A second is certain when the pages that cover it are
 * known to follow each other without a gap; it is doubtful when more messages were written in it
 * than a page holds and the site offered no way to the rest.
 */
export interface ChatCompleteness {
  totalSec: number;
  /** The seconds (offsets) in which messages may be missing, ascending. */
  doubtfulSec: number[];
}

/** Share of seconds known to be complete, 0 to 1; 1 for a window of no length. */
export const completeShare = ({ totalSec, doubtfulSec }: ChatCompleteness): number =>
  totalSec === 0 ? 1 : 1 - doubtfulSec.length / totalSec;

export const joinCompleteness = (parts: Iterable<ChatCompleteness>): ChatCompleteness => {
  const joined: ChatCompleteness = { totalSec: 0, doubtfulSec: [] };
  for (const { totalSec, doubtfulSec } of parts) {
    joined.totalSec += totalSec;
    joined.doubtfulSec.push(...doubtfulSec);
  }
  joined.doubtfulSec.sort((a, b) => a - b);
  return joined;
};

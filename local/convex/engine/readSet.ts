// What a query read, and whether a commit concerns it: a key it wrote lies in a stretch that was read. Live
// queries are asked this at every commit, so it is a look per index, and few comparisons.
import type { Range, Writes } from "./store.ts";

/** What was read, sorted out by index; stretches that touch are one. */
export type ReadSet = ReadonlyMap<number, readonly Range[]>;

const isBefore = (a: Buffer, b: Buffer | undefined): boolean =>
  b === undefined || Buffer.compare(a, b) < 0;

export const readSetOf = (reads: readonly Range[]): ReadSet => {
  const byIndex = new Map<number, Range[]>();
  for (const range of reads) {
    const ranges = byIndex.get(range.index);
    if (ranges) ranges.push(range);
    else byIndex.set(range.index, [range]);
  }
  for (const [index, ranges] of byIndex) byIndex.set(index, joined(ranges));
  return byIndex;
};

const joined = (ranges: readonly Range[]): Range[] => {
  const result: Range[] = [];
  for (const range of ranges.toSorted((a, b) => Buffer.compare(a.from, b.from))) {
    const last = result.at(-1);
    if (last && (last.to === undefined || Buffer.compare(range.from, last.to) <= 0)) {
      if (last.to !== undefined && isBefore(last.to, range.to)) last.to = range.to;
    } else result.push({ ...range });
  }
  return result;
};

/** The stretch that the key may lie in: the last that does not begin after it. */
const candidate = (ranges: readonly Range[], key: Buffer): Range | undefined => {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Buffer.compare(ranges[middle]!.from, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return ranges[low - 1];
};

export const affects = (writes: Writes, reads: ReadSet): boolean => {
  for (const [index, ranges] of reads) {
    for (const key of writes.get(index) ?? []) {
      const range = candidate(ranges, key);
      if (range && isBefore(key, range.to)) return true;
    }
  }
  return false;
};

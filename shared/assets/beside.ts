// Two long lists, both in the order of their keys, walked together: what is in one, the other, or
// both. A page of each is in memory at a time.
import type { Page } from "./ports.ts";

/** All items of a paged list. @param read  gives a page from a cursor; the first from null */
export async function* pagesOf<T>(
  read: (cursor: string | null) => Promise<Page<T>>,
): AsyncGenerator<T, void> {
  for (let cursor: string | null = null; ;) {
    const { items, next }: Page<T> = await read(cursor);
    yield* items;
    if (next === null) return;
    cursor = next;
  }
}

/** The order of UTF-8 bytes, which is that of Cloud Storage's listings and of Convex's indexes. */
const compareKeys = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Of each key what is on either side; a key comes once. */
export async function* besideEachOther<A extends { key: string }, B extends { key: string }>(
  left: AsyncGenerator<A, void>,
  right: AsyncGenerator<B, void>,
): AsyncGenerator<{ key: string; left: A | null; right: B | null }, void> {
  try {
    let [a, b] = await Promise.all([left.next(), right.next()]);
    while (!a.done || !b.done) {
      const order = a.done ? 1 : b.done ? -1 : compareKeys(a.value.key, b.value.key);
      if (order < 0 && !a.done) {
        yield { key: a.value.key, left: a.value, right: null };
        a = await left.next();
      } else if (order > 0 && !b.done) {
        yield { key: b.value.key, left: null, right: b.value };
        b = await right.next();
      } else if (!a.done && !b.done) {
        yield { key: a.value.key, left: a.value, right: b.value };
        [a, b] = await Promise.all([left.next(), right.next()]);
      }
    }
  } finally {
    await Promise.all([left.return(), right.return()]);
  }
}

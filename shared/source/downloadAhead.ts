// Downloads a list in order, many at once, never holding more than a bounded number of bytes.

export interface AheadLimits {
  /** Downloads under way at once. */
  parallel: number;
  /** Bytes of finished and running downloads that nobody has taken yet. */
  bytes: number;
}

/**
 * Results in the list's order. One item is always under way, however large it may be.
 * @param estimate bytes that an item will likely take
 * @param download must end when `signal` aborts; a failure ends the whole when its turn comes
 */
export async function* downloadAhead<T, R extends { size: number }>(
  items: readonly T[],
  limits: AheadLimits,
  estimate: (item: T) => number,
  download: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const results: (Promise<R> | undefined)[] = [];
  /** Bytes booked for an item: the estimate, then what it was. */
  const booked: number[] = [];
  let held = 0;
  let running = 0;
  let next = 0;
  let taken = 0;

  const fill = (): void => {
    while (next < items.length && running < limits.parallel) {
      const index = next;
      const item = items[index] as T;
      const cost = estimate(item);
      if (held + cost > limits.bytes && index > taken) return;
      next += 1;
      running += 1;
      held += cost;
      booked[index] = cost;
      const result = download(item).finally(() => {
        running -= 1;
      });
      results[index] = result;
      result.then(
        ({ size }) => {
          held += size - cost;
          booked[index] = size;
          fill();
        },
        () => undefined, // thrown when its turn comes
      );
    }
  };

  for (; taken < items.length; taken += 1) {
    fill();
    const result = await (results[taken] as Promise<R>);
    results[taken] = undefined;
    yield result;
    held -= booked[taken] ?? 0;
  }
}

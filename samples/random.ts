// Numbers that look random and are the same for the same seed on every machine.

export interface Random {
  /** At least 0, below 1. */
  next(): number;
  between(low: number, high: number): number;
  /** Both ends possible. */
  int(low: number, high: number): number;
  pick<T>(list: readonly T[]): T;
  /** In a new order, the list itself untouched. */
  shuffled<T>(list: readonly T[]): T[];
  chance(probability: number): boolean;
  /** Waiting time until the next of events that come independently. */
  exponential(mean: number): number;
  normal(mean: number, deviation: number): number;
}

/** The generator "mulberry32" (Tommy Ettinger, public domain). */
export const randomFrom = (seed: number): Random => {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
  const random: Random = {
    next,
    between: (low, high) => low + (high - low) * next(),
    int: (low, high) => low + Math.floor((high - low + 1) * next()),
    pick: (list) => {
      const at = list[Math.floor(next() * list.length)];
      if (at === undefined) throw new RangeError("Nothing to pick from.");
      return at;
    },
    shuffled: (list) => {
      const copy = [...list];
      for (let i = copy.length - 1; i > 0; i -= 1) {
        const j = random.int(0, i);
        [copy[i], copy[j]] = [copy[j]!, copy[i]!];
      }
      return copy;
    },
    chance: (probability) => next() < probability,
    exponential: (mean) => -mean * Math.log(1 - next()),
    // Box and Muller's transform.
    normal: (mean, deviation) =>
      mean + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  };
  return random;
};

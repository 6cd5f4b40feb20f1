// Where row `i` of the benchmark of the local Convex is: ten to a group, as convexRows/ puts them.

export type Place = { group: number; rank: number };

export const GROUP_SIZE = 10;

export const placeOf = (i: number): Place => ({
  group: Math.floor(i / GROUP_SIZE),
  rank: i % GROUP_SIZE,
});

/** One of so many rows, any. */
export const anyPlace = (rows: number): Place => placeOf(Math.floor(Math.random() * rows));

// One line of `npm run bench`: ours beside a peer, measured in the same run.

export interface BenchRow {
  name: string;
  ours: number;
  peer: number;
  unit: string;
  /** How many times better ours is (or, where the goal says `≤`, how many times the peer's). */
  ratio: number;
  /** As the design has it, such as `≥ 2.5` or `≤ 5`. */
  goal?: string;
  note?: string;
}

export interface BenchOptions {
  /** At the lengths that the goals speak of. */
  full: boolean;
}

/** Gives each row as soon as it is measured. */
export type Bench = (options: BenchOptions) => AsyncIterable<BenchRow>;

const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toPrecision(2);

export const formatRow = ({ name, ours, peer, unit, ratio, goal, note }: BenchRow): string =>
  [
    name,
    `  ours ${number(ours)} ${unit}, peer ${number(peer)} ${unit}: ratio ${number(ratio)}${goal ? ` (goal ${goal})` : ""}`,
    ...(note ? [`  ${note}`] : []),
  ].join("\n");

export const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0;

export const median = (values: readonly number[]): number => quantile(values, 0.5);

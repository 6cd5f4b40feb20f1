// How well scores agree with people: correlation, and F1 over the three classes.

export const LABELS = ["negative", "neutral", "positive"] as const;
export type Label = (typeof LABELS)[number];

/** A score within this of 0 is neutral; the border that VADER's authors give. */
export const NEUTRAL_WITHIN = 0.05;

export const labelOf = (score: number, neutralWithin: number = NEUTRAL_WITHIN): Label =>
  score > neutralWithin ? "positive" : score < -neutralWithin ? "negative" : "neutral";

/** Pearson's correlation, -1 to 1; NaN where either side does not vary. */
export const pearson = (xs: readonly number[], ys: readonly number[]): number => {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(xs);
  const meanY = mean(ys);
  let both = 0;
  let squaresX = 0;
  let squaresY = 0;
  xs.forEach((x, at) => {
    const dx = x - meanX;
    const dy = ys[at]! - meanY;
    both += dx * dy;
    squaresX += dx * dx;
    squaresY += dy * dy;
  });
  return both / Math.sqrt(squaresX * squaresY);
};

/** Mean of the F1 of each class, 0 to 1; a class that nobody names and nothing gets is 0. */
export const macroF1 = (predicted: readonly Label[], actual: readonly Label[]): number => {
  let sum = 0;
  for (const label of LABELS) {
    let hits = 0;
    let named = 0;
    let present = 0;
    predicted.forEach((guess, at) => {
      if (guess === label) named += 1;
      if (actual[at] === label) present += 1;
      if (guess === label && actual[at] === label) hits += 1;
    });
    if (hits > 0) sum += (2 * hits) / (named + present);
  }
  return sum / LABELS.length;
};

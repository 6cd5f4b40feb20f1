// Fits the scorer's numbers to people's ratings, and measures by cross-validation what that is
// worth on texts it has not seen. Few numbers and a penalty on each, so that what is learnt from
// tweets holds for other texts: the rules' weights by coordinate descent from where VADER's paper
// leaves them, then the valences of words that the lexicons have and that two or more texts use,
// with a squared penalty for moving away from the lexicon.
import { buildLexicon, type Lexicon } from "#shared/sentiment/lexicon.ts";
import type { Fitted, Rules } from "#shared/sentiment/rules.ts";
import { scan } from "#shared/sentiment/scan.ts";
import { Scorer } from "#shared/sentiment/scorer.ts";
import { pearson } from "./metrics.ts";

export interface Sample {
  text: string;
  /** -4 to 4. */
  rating: number;
}

/** VADER's own weights where it has the rule, and no effect where it has not. */
export const START: Rules = {
  afinnShare: 0.5,
  afinnBlend: 0,
  emojiScale: 3,
  emoticon: 1,
  comparison: 0.3,
  booster: 0.293,
  negation: -0.74,
  farNegation: -0.74,
  negatedBlame: 1,
  headNegation: 1,
  tag: 1,
  capitals: 0.733,
  allCapitals: 0.1,
  elongation: 0.3,
  exclamation: 0.292,
  loneExclamation: 0.5,
  question: 1,
  beforeBut: 0.5,
  afterBut: 1.5,
  lateness: 0,
  dilution: 0,
  link: 1,
  properNoun: 1,
  border: 0.03,
  halfway: 3.87,
};

/**
 * What the descent may reach. The tweets hold no emoji, so `emojiScale` is kept. So is `border`:
 * where neutral ends is a choice. 0.03 serves ratings within 0.05, within 0.2 and within 0.5 of 0 alike;
 * a wider one does better at the last and worse at the first.
 */
const LIMITS: Record<Exclude<keyof Rules, "emojiScale" | "border">, readonly [number, number]> = {
  afinnShare: [0, 1],
  afinnBlend: [0, 1],
  emoticon: [0.8, 2],
  comparison: [0, 0.3],
  booster: [0.1, 0.6],
  negation: [-1, -0.3],
  farNegation: [-1, -0.05],
  negatedBlame: [-0.5, 1],
  headNegation: [0, 1],
  tag: [0, 1.5],
  capitals: [0.1, 1],
  allCapitals: [0, 0.5],
  elongation: [0.1, 0.6],
  exclamation: [0.1, 0.7],
  loneExclamation: [0.3, 1],
  question: [0.5, 1],
  beforeBut: [0.3, 1],
  afterBut: [0.9, 2],
  lateness: [0, 0.3],
  dilution: [0, 0.1],
  link: [0.5, 1],
  properNoun: [0.5, 1],
  halfway: [2, 6],
};

/** Which of them the lexicon is built with. */
const LEXICON_RULES: ReadonlySet<string> = new Set(["afinnShare", "afinnBlend"]);
/**
 * Correlation that one more of the mean `wrongSide` is worth: correlation alone hardly minds a weak
 * score on the wrong side of 0, which is a wrong label.
 */
const WRONG_SIDE_SHARE = 0.1;
const WRONG_SIDE_STEEPNESS = 10;
/** Ratings nearer to 0 than this have a side, but not a sure one. */
const SURE_RATING = 0.5;
/** Turns over all rules. Few, so that they stay near VADER's: more serve the correlation, not the signs. */
const ROUNDS = 2;
const FIRST_STEP = 0.25;
const STEP_SHRINKS = 0.75;
/** Squared errors, in ratings, that moving a word by 1 must save. */
const WORD_PENALTY = 4;
const MIN_TEXTS_WITH_WORD = 2;
const WORD_STEPS = [[0.8, 0.4, 0.2], [0.3, 0.15], [0.1]] as const;
const MAX_CORRECTION = 2;
/** A word that ends up fainter than this says nothing. */
const MIN_VALENCE = 0.4;

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** Logistic loss of a score's sign, weighed by how sure the rating's is. */
const wrongSide = (score: number, rating: number): number =>
  Math.min(1, Math.abs(rating) / SURE_RATING) *
  Math.log1p(Math.exp(-Math.sign(rating) * score * WRONG_SIDE_STEEPNESS));

const fitRules = (samples: readonly Sample[]): Rules => {
  const ratings = samples.map(({ rating }) => rating);
  const names = Object.keys(LIMITS) as (keyof typeof LIMITS)[];
  let best = { ...START };
  let lexicon = buildLexicon({ rules: best, words: {} });
  const evaluate = (rules: Rules, using: Lexicon): number => {
    const scorer = new Scorer(using, rules);
    const scores = samples.map(({ text }) => scorer.score(text));
    const wrong = scores.reduce((sum, score, at) => sum + wrongSide(score, ratings[at]!), 0);
    return pearson(scores, ratings) - (WRONG_SIDE_SHARE * wrong) / samples.length;
  };
  let bestValue = evaluate(best, lexicon);
  let step = FIRST_STEP;
  for (let turn = 0; turn < ROUNDS; turn += 1, step *= STEP_SHRINKS) {
    for (const name of names) {
      const [low, high] = LIMITS[name];
      for (const direction of [1, -1]) {
        const moved = best[name] + direction * step * (high - low);
        const tried = { ...best, [name]: Math.min(high, Math.max(low, moved)) };
        if (tried[name] === best[name]) continue;
        const using = LEXICON_RULES.has(name) ? buildLexicon({ rules: tried, words: {} }) : lexicon;
        const value = evaluate(tried, using);
        if (value <= bestValue) continue;
        best = tried;
        bestValue = value;
        lexicon = using;
        break;
      }
    }
  }
  return Object.fromEntries(
    Object.entries(best).map(([name, value]) => [name, round(value, 3)]),
  ) as unknown as Rules;
};

const wordsOf = (text: string): Set<string> => {
  const found = new Set<string>();
  scan(text, {
    symbol: () => false,
    emoticon: () => false,
    word: (word) => void found.add(word.toLowerCase()),
    emoji: () => undefined,
    exclamation: () => undefined,
    question: () => undefined,
    link: () => undefined,
    hashtag: () => undefined,
    pause: () => undefined,
  });
  return found;
};

const fitWords = (samples: readonly Sample[], rules: Rules): Record<string, number> => {
  const lexicon = buildLexicon({ rules, words: {} });
  const scorer = new Scorer(lexicon, rules);
  const textsWith = new Map<string, Sample[]>();
  for (const sample of samples) {
    for (const word of wordsOf(sample.text)) {
      const list = textsWith.get(word);
      if (list === undefined) textsWith.set(word, [sample]);
      else list.push(sample);
    }
  }
  let product = 0;
  let squares = 0;
  for (const { text, rating } of samples) {
    const score = scorer.score(text);
    product += score * rating;
    squares += score * score;
  }
  /** Ratings for one unit of score. */
  const gain = product / squares;
  const candidates = [...textsWith]
    .filter(([word, texts]) => {
      const entry = lexicon.words.get(word);
      return (
        texts.length >= MIN_TEXTS_WITH_WORD &&
        entry !== undefined &&
        entry.valence !== 0 &&
        entry.boost === 0 &&
        entry.phrases === null
      );
    })
    .toSorted(([a, textsA], [b, textsB]) => textsB.length - textsA.length || (a < b ? -1 : 1));
  const corrections = new Map<string, number>();
  for (const steps of WORD_STEPS) {
    for (const [word, texts] of candidates) {
      const entry = lexicon.words.get(word)!;
      let change = corrections.get(word) ?? 0;
      const original = entry.valence - change;
      const loss = (by: number): number => {
        entry.valence = original + by;
        let sum = WORD_PENALTY * by * by;
        for (const { text, rating } of texts) sum += (scorer.score(text) * gain - rating) ** 2;
        return sum;
      };
      let least = loss(change);
      for (const step of steps) {
        for (const direction of [1, -1]) {
          for (;;) {
            const next = change + direction * step;
            if (Math.abs(next) > MAX_CORRECTION) break;
            const value = loss(next);
            if (value >= least) break;
            least = value;
            change = next;
          }
        }
      }
      change = Math.abs(original + change) < MIN_VALENCE ? -original : round(change, 2);
      entry.valence = original + change;
      if (change === 0) corrections.delete(word);
      else corrections.set(word, round(change, 3));
    }
  }
  return Object.fromEntries([...corrections].toSorted(([a], [b]) => (a < b ? -1 : 1)));
};

/** The scorer's numbers for these ratings. */
export const fit = (samples: readonly Sample[]): Fitted => {
  const rules = fitRules(samples);
  return { rules, words: fitWords(samples, rules) };
};

/**
 * Scores for every sample, each by what was fitted without its fold.
 * @param foldOf  the fold of the sample at a place, 0 to folds - 1
 */
export const crossValidate = (
  samples: readonly Sample[],
  folds: number,
  foldOf: (at: number) => number = (at) => at % folds,
): number[] => {
  const scores = Array.from({ length: samples.length }, () => 0);
  for (let fold = 0; fold < folds; fold += 1) {
    const fitted = fit(samples.filter((_, at) => foldOf(at) !== fold));
    const scorer = new Scorer(buildLexicon(fitted), fitted.rules);
    samples.forEach(({ text }, at) => {
      if (foldOf(at) === fold) scores[at] = scorer.score(text);
    });
  }
  return scores;
};

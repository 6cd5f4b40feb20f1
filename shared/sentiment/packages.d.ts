// The lexicon's package has no types of its own; this is the part of it that is read.
declare module "vader-sentiment/src/vader_lexicon.js" {
  /** Words, phrases and emoticons with their mean rating by ten people, -4 to 4. */
  export const lexicon: Record<string, number>;
}

declare module "vader-sentiment" {
  export const SentimentIntensityAnalyzer: {
    polarity_scores(text: string): { compound: number; neg: number; neu: number; pos: number };
  };
}

// The numbers behind the scorer: how much each rule of speech weighs, and by how much the ratings
// of people moved a word away from its lexicon's value. They are fitted by
// `npm run eval -- fit-sentiment` and kept in fitted.json, which says from what.
import fitted from "./fitted.json" with { type: "json" };

export interface Rules {
  /** A word that AFINN has and VADER lacks, as a share of AFINN's value. */
  afinnShare: number;
  /** For a word in both, how far its value moves from VADER's to AFINN's, 0 to 1. */
  afinnBlend: number;
  /** Valence of an emoji whose raters all agree. */
  emojiScale: number;
  /** Factor on the valence of negative words. */
  negativeWeight: number;
  /** Added by a degree adverb ("very"); taken away by one that dampens ("slightly"). */
  booster: number;
  /** Factor of a negation up to three words before. */
  negation: number;
  /** Added to a word in capitals among words that are not. */
  capitals: number;
  /** The same where everything is in capitals. */
  allCapitals: number;
  /** Added to a word with a letter drawn out ("soooo"). */
  elongation: number;
  /** Added for each exclamation mark, the first four. */
  exclamation: number;
  /** Factor on a text that ends in a question. */
  question: number;
  /** Factors on what comes before and after "but". */
  beforeBut: number;
  afterBut: number;
  /** How much more the end of a text counts than its beginning. */
  lateness: number;
  /** Growth of the divisor with each word that says nothing. */
  dilution: number;
  /** Factor on a text with a link in it. */
  link: number;
  /** Factor on a word that its capital shows to be part of a name. */
  properNoun: number;
  /** A sum of this size is halved, larger ones hardly changed: one faint word is no opinion. */
  faint: number;
  /** Sum at which the score is about 0.7; as in VADER the score is s / sqrt(s² + this²). */
  halfway: number;
}

/** What the scorer is built from. `words` are corrections added to the lexicons' valences. */
export interface Fitted {
  rules: Rules;
  words: Record<string, number>;
}

export const FITTED: Fitted = fitted;

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
  /** Factor on emoticons, emoji and emotes: they say how the words are meant. */
  emoticon: number;
  /** What is left of "like" where it compares. */
  comparison: number;
  /** Added by a degree adverb ("very"); taken away by one that dampens ("slightly"). */
  booster: number;
  /** Factor of a negation right before, or with only degree adverbs between. */
  negation: number;
  /** The same with one or two other words between. */
  farNegation: number;
  /** Share of those factors for a word of blame: "can't die" is seldom praise. */
  negatedBlame: number;
  /** How far a negation that begins a sentence negates, 0 to 1: "Not sure about it". */
  headNegation: number;
  /** Factor on a word behind a hash: it may be a name. */
  tag: number;
  /** Added to a word in capitals among words that are not. */
  capitals: number;
  /** The same where everything is in capitals. */
  allCapitals: number;
  /** Added to a word with a letter drawn out ("soooo"). */
  elongation: number;
  /** Added for each exclamation mark, the first four. */
  exclamation: number;
  /** Sum of a text of which only an exclamation mark is known: excitement, mostly glad. */
  loneExclamation: number;
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
  /** Strength, 0 to 1, up to which a text is neutral; it is given the score 0.05. */
  border: number;
  /** Sum at which the score is about 0.7; as in VADER the score is s / sqrt(s² + this²). */
  halfway: number;
}

/** What the scorer is built from. `words` are corrections added to the lexicons' valences. */
export interface Fitted {
  rules: Rules;
  words: Record<string, number>;
}

export const FITTED: Fitted = fitted;

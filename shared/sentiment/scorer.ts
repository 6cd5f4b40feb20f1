// The rules of speech over the lexicon: a word's valence is strengthened, weakened or turned round
// by the three words before it, by capitals, drawn-out letters and marks, and the sum becomes a
// score. The rules are those of VADER (Hutto and Gilbert, ICWSM 2014), rewritten as one pass that
// keeps no list of words; their weights are fitted to people's ratings.
import type { ChatLexicon, Entry, Lexicon } from "./lexicon.ts";
import type { Rules } from "./rules.ts";
import { scan, type Shape, type Sink } from "./scan.ts";
import { isLaughter, MIN_ENDING_VALENCE, respell } from "./spelling.ts";

/** How much of a booster is left one, two and three words on; VADER's. */
const BOOST_AT = [1, 0.95, 0.9] as const;
/** Each further time the same sign stands in a message it counts this much of the time before. */
const REPEAT = 0.4;
/** How much of a praise is left beside an emote of sarcasm. */
const SARCASM = 0.2;
/** In a longer message a letter at its head is a letter. */
const MAX_LETTER_RUNS = 5;
/** A score within this of 0 is neutral, as for VADER. */
const NEUTRAL_WITHIN = 0.05;
const MAX_EXCLAMATIONS = 4;

const isChat = (lexicon: Lexicon | ChatLexicon): lexicon is ChatLexicon => "emotes" in lexicon;

/** Valence of laughter that is spelt out. */
const LAUGHTER = 1.6;

export class Scorer implements Sink {
  readonly #lexicon: Lexicon;
  readonly #chat: ChatLexicon | null;
  readonly #rules: Rules;

  // The three words before this one, nearest first.
  #word1 = "";
  #word2 = "";
  #word3 = "";
  #entry1: Entry | undefined;
  #entry2: Entry | undefined;
  #entry3: Entry | undefined;
  #shouted1 = false;
  // Whether they begin with a capital, as what begins a sentence does.
  #title1 = false;
  #title2 = false;
  #title3 = false;
  /** Set by a phrase that weakens the word after it, for that word alone. */
  #phraseBoost = 0;

  #sum = 0;
  /** Sum of valences times their position, for `lateness`. */
  #lateSum = 0;
  /** What capitals add, if it turns out that not everything is in capitals. */
  #capitalsSum = 0;
  #lastValence = 0;
  #tokens = 0;
  #silent = 0;
  #capitalWords = 0;
  #otherWords = 0;
  #exclamations = 0;
  #asks = false;
  #links = false;
  #tagged = false;
  #factor = 1;
  #runs = 0;
  #first = "";
  /** Valence of the letter that the message begins with, or 0. */
  #letter = 0;
  /** Valence of the one thing that the message consists of, or 0. */
  #whole = 0;
  #repeats = 0;
  #lastSymbol = "";
  #sarcastic = false;

  constructor(lexicon: Lexicon | ChatLexicon, rules: Rules) {
    this.#lexicon = lexicon;
    this.#chat = isChat(lexicon) ? lexicon : null;
    this.#rules = rules;
  }

  /** Sentiment of a text, -1 to 1; 0 where nothing in it is known. */
  score(text: string): number {
    this.#reset();
    scan(text, this);
    return this.#finish();
  }

  /** Sentiment of a text given in parts, of which some are known to be emotes. */
  scoreParts(parts: readonly { text: string; emote?: unknown }[]): number {
    this.#reset();
    for (const { text, emote } of parts) {
      if (emote === undefined) scan(text, this);
      else this.#emote(text);
    }
    return this.#finish();
  }

  symbol(run: string): boolean {
    this.#runs += 1;
    const chat = this.#chat;
    let valence: number | undefined;
    if (chat !== null) {
      this.#letters(chat, run);
      if (chat.sarcasm.has(run)) {
        this.#sarcastic = true;
        return true;
      }
      valence = chat.emotes.get(run);
    }
    valence ??= this.#lexicon.emoticons.get(run);
    if (valence === undefined) return false;
    this.#sign(run, valence);
    return true;
  }

  /** Notes what the message says by being one letter, or by beginning with it. */
  #letters(chat: ChatLexicon, run: string): void {
    if (this.#runs === 1) {
      this.#first = run;
      this.#letter = chat.letters.get(run) ?? 0;
      this.#whole = this.#letter === 0 ? (chat.wholeMessages.get(run) ?? 0) : this.#letter;
    } else if (run !== this.#first) {
      this.#whole = 0;
      // "L O L" spells a word.
      if (this.#runs === 2 && run.length === 1) this.#letter = 0;
    }
  }

  emoticon(text: string): boolean {
    const valence = this.#lexicon.emoticons.get(text);
    if (valence === undefined) return false;
    this.#sign(text, valence);
    return true;
  }

  emoji(codePoint: number): void {
    const valence = this.#lexicon.emoji.get(codePoint);
    if (valence !== undefined) this.#sign(String.fromCodePoint(codePoint), valence);
  }

  hashtag(): void {
    this.#tagged = true;
  }

  exclamation(): void {
    this.#exclamations += 1;
    this.#asks = false;
  }

  question(): void {
    this.#asks = true;
  }

  pause(): void {
    this.#entry1 = this.#entry2 = this.#entry3 = undefined;
    this.#word1 = this.#word2 = this.#word3 = "";
  }

  link(): void {
    this.#links = true;
  }

  word(text: string, shape: Shape, longestRepeat: number): void {
    const { words } = this.#lexicon;
    this.#asks = false;
    const capitals = shape === "capitals";
    if (capitals) this.#capitalWords += 1;
    else this.#otherWords += 1;
    const lower = shape === "lower" ? text : text.toLowerCase();
    let entry = words.get(lower);
    let drawnOut = false;
    const tagged = this.#tagged;
    if (entry === undefined) {
      if (shape === "camel" && this.#chat !== null && this.#ending(text)) return;
      entry = respell(words, lower, longestRepeat, this.#tagged);
      drawnOut = entry !== undefined && longestRepeat >= 3;
      if (entry === undefined && isLaughter(lower)) {
        this.#sign("haha", LAUGHTER);
        return;
      }
    }
    this.#tagged = false;
    if (lower === "but") this.#turn();
    const phraseBoost = this.#phraseBoost;
    if (entry !== undefined) this.#known(lower, entry, shape, drawnOut, tagged);
    else this.#silent += 1;
    if (phraseBoost !== 0) this.#phraseBoost = 0;
    this.#tokens += 1;
    this.#word3 = this.#word2;
    this.#word2 = this.#word1;
    this.#word1 = lower;
    this.#entry3 = this.#entry2;
    this.#entry2 = this.#entry1;
    this.#entry1 = entry;
    this.#shouted1 = capitals;
    this.#title3 = this.#title2;
    this.#title2 = this.#title1;
    this.#title1 = shape === "title";
  }

  #reset(): void {
    this.pause();
    this.#sum = this.#lateSum = this.#capitalsSum = this.#lastValence = 0;
    this.#tokens = this.#silent = this.#capitalWords = this.#otherWords = 0;
    this.#exclamations = this.#runs = this.#repeats = 0;
    this.#phraseBoost = 0;
    this.#asks = this.#links = this.#tagged = this.#sarcastic = this.#shouted1 = false;
    this.#factor = 1;
    this.#letter = this.#whole = 0;
    this.#first = "";
    this.#lastSymbol = "";
  }

  #known(word: string, entry: Entry, shape: Shape, drawnOut: boolean, tagged: boolean): void {
    const { negation, farNegation, booster, elongation, tag } = this.#rules;
    if (entry.boostsBack && this.#lastValence !== 0) {
      this.#add(Math.sign(this.#lastValence) * booster);
      return;
    }
    let valence = entry.valence;
    if (word === "like" && this.#entry1?.beforeLike !== true && this.#tokens > 0) {
      valence *= this.#rules.comparison;
    }
    if (entry.phrases !== null) {
      for (const { before, valence: ofPhrase, boost } of entry.phrases) {
        if (
          before[0] === this.#word1 &&
          (before.length < 2 || before[1] === this.#word2) &&
          (before.length < 3 || before[2] === this.#word3)
        ) {
          this.#takeBack();
          this.#add(ofPhrase);
          this.#phraseBoost = boost;
          return;
        }
      }
    }
    if (valence === 0) {
      this.#silent += 1;
      return;
    }
    const sign = valence > 0 ? 1 : -1;
    if (drawnOut) valence += sign * elongation;
    if (tagged) valence *= tag;
    // A capital inside a sentence: a name or a title, as in "Best Buy".
    let turned = shape === "title" && this.#word1 !== "" ? this.#rules.properNoun : 1;
    let shout = shape === "capitals" ? sign : 0;
    let between = false;
    for (let back = 0; back < 3; back += 1) {
      const before = back === 0 ? this.#entry1 : back === 1 ? this.#entry2 : this.#entry3;
      const boost = back === 0 && this.#phraseBoost !== 0 ? this.#phraseBoost : before?.boost;
      if (before?.negates === true) {
        if (entry.interjection) continue;
        if (!this.#isLifted(back)) {
          turned *= this.#negating(back, between ? farNegation : negation, sign);
        }
      } else if (boost !== undefined && boost !== 0) {
        valence += sign * boost * booster * BOOST_AT[back]!;
        if (back === 0 && this.#shouted1 && boost > 0) shout += sign;
      } else if (before?.transparent !== true) between = true;
    }
    if (this.#word1 === "no" && word !== "no") {
      turned *= this.#negating(0, negation, sign);
      this.#takeBack();
    }
    this.#capitalsSum += shout * turned * this.#factor;
    this.#add(valence * turned);
  }

  /** Factor of the negation `back` words before a word of this sign, weaker where it is said lightly. */
  #negating(back: number, factor: number, sign: number): number {
    const word = back === 0 ? this.#word1 : back === 1 ? this.#word2 : this.#word3;
    const title = back === 0 ? this.#title1 : back === 1 ? this.#title2 : this.#title3;
    const { headNegation, negatedBlame } = this.#rules;
    // A verb's own ("Don't", "Cant") negates wherever it stands.
    const light = title && !word.endsWith("n't") && !word.endsWith("nt");
    const reached = light ? 1 + headNegation * (factor - 1) : factor;
    return sign < 0 ? reached * negatedBlame : reached;
  }

  /** "Not only good", "never been so happy": what looks like a negation is none. */
  #isLifted(back: number): boolean {
    const next = back === 0 ? undefined : back === 1 ? this.#entry1 : this.#entry2;
    if (next?.liftsNegation === true) return true;
    const word = back === 0 ? this.#word1 : back === 1 ? this.#word2 : this.#word3;
    if (word !== "never") return false;
    const liftsNever = (between: string): boolean => between === "so" || between === "this";
    return (back > 0 && liftsNever(this.#word1)) || (back > 1 && liftsNever(this.#word2));
  }

  #add(valence: number): void {
    const weighted = valence * this.#factor;
    this.#sum += weighted;
    this.#lateSum += weighted * this.#tokens;
    this.#lastValence = weighted;
  }

  /** What the word before gave by itself was part of something longer. */
  #takeBack(): void {
    const weighted = (this.#entry1?.valence ?? 0) * this.#factor;
    this.#sum -= weighted;
    this.#lateSum -= weighted * (this.#tokens - 1);
  }

  /** An emote, emoticon or emoji: nothing before it changes it, but saying it again adds little. */
  #sign(name: string, valence: number): void {
    this.#repeats = name === this.#lastSymbol ? this.#repeats + 1 : 0;
    this.#lastSymbol = name;
    this.#add(valence * this.#rules.emoticon * REPEAT ** this.#repeats);
    this.#asks = false;
    this.#tokens += 1;
  }

  /** What stands before "but" counts less than what comes after. */
  #turn(): void {
    const { beforeBut, afterBut } = this.#rules;
    this.#sum *= beforeBut;
    this.#lateSum *= beforeBut;
    this.#capitalsSum *= beforeBut;
    this.#factor = afterBut;
  }

  /** Something known to be an emote; a name that nobody knows may still end in a word. */
  #emote(name: string): void {
    if (name.length > 0 && !this.symbol(name) && !this.#ending(name)) this.#tokens += 1;
  }

  #ending(name: string): boolean {
    const chat = this.#chat;
    if (chat === null) return false;
    let from = 1;
    while (from < name.length && !(name.charCodeAt(from) >= 65 && name.charCodeAt(from) <= 90)) {
      from += 1;
    }
    if (from < 2 || from >= name.length) return false;
    const ending = name.slice(from).toLowerCase();
    let valence = chat.emoteEndings.get(ending);
    if (valence === undefined) {
      const known = chat.words.get(ending)?.valence ?? 0;
      if (Math.abs(known) < MIN_ENDING_VALENCE) return false;
      valence = known;
    }
    this.#sign(name, valence);
    return true;
  }

  #finish(): number {
    const rules = this.#rules;
    if (this.#whole !== 0) this.#sum = this.#whole;
    else if (this.#sum === 0 && this.#runs <= MAX_LETTER_RUNS) this.#sum = this.#letter;
    let sum = this.#sum;
    const mixedCase = this.#capitalWords > 0 && this.#otherWords > 0;
    sum += this.#capitalsSum * (mixedCase ? rules.capitals : rules.allCapitals);
    if (this.#tokens > 1) {
      sum += rules.lateness * (this.#lateSum / (this.#tokens - 1) - this.#sum / 2);
    }
    if (sum === 0) {
      if (this.#exclamations === 0 || this.#tokens === 0) return 0;
      sum = rules.loneExclamation;
    }
    const sign = sum > 0 ? 1 : -1;
    sum += sign * rules.exclamation * Math.min(this.#exclamations, MAX_EXCLAMATIONS);
    if (this.#asks) sum *= rules.question;
    if (this.#sarcastic && sum > 0) sum *= SARCASM;
    if (this.#links) sum *= rules.link;
    const halfway = rules.halfway * (1 + rules.dilution * this.#silent);
    const strength = Math.abs(sum) / Math.sqrt(sum * sum + halfway * halfway);
    // Both sides of the border are stretched so that it comes to lie where neutral ends.
    const { border } = rules;
    return (
      sign *
      (strength <= border
        ? (strength * NEUTRAL_WITHIN) / border
        : 1 - ((1 - strength) * (1 - NEUTRAL_WITHIN)) / (1 - border))
    );
  }
}

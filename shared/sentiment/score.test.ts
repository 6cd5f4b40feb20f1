import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scoreChatText, scoreMessage, scoreText } from "./score.ts";

const NEUTRAL_WITHIN = 0.05;

const labelOf = (score: number): string =>
  score > NEUTRAL_WITHIN ? "positive" : score < -NEUTRAL_WITHIN ? "negative" : "neutral";

describe("scoreText: what raises a score and what lowers it", () => {
  const higher: [string, string, string][] = [
    ["negation turns praise round", "this is good", "this is not good"],
    ["negation turns blame round", "this is not bad at all", "this is bad"],
    ["n't is a negation", "that was fun", "that wasn't fun"],
    ["n't without its apostrophe", "that was fun", "that wasnt fun"],
    ["a curly apostrophe", "that was fun", "that wasn’t fun"],
    ["any n't is known", "they love it", "they needn't love it"],
    ["negation reaches over a degree adverb", "it is very good", "it is not very good"],
    ["negation reaches over an article", "it is a good game", "it is not a good game"],
    ["no before a noun of praise", "fun", "no fun"],
    ["not only is no negation", "not only good but great", "not good"],
    ["a full stop ends a negation", "did not. great", "did not great"],
    ["an interjection is not negated", "i can't lol", "i can't win"],
    ["degree adverbs strengthen", "very good", "good"],
    ["they strengthen blame too", "bad", "very bad"],
    ["dampeners weaken", "good", "slightly good"],
    ["phrases weaken", "that is good", "that is kind of good"],
    ["capitals among small letters", "that is GREAT", "that is great"],
    ["letters drawn out", "goooood", "good"],
    ["words drawn out are still known", "looooove this", "this"],
    ["a drawn-out adverb strengthens", "sooooo good", "good"],
    ["exclamation marks", "good!!!", "good"],
    ["they strengthen blame too", "awful", "awful!!!"],
    ["a question is less sure", "it is great", "is it great?"],
    ["what follows but counts more", "bad but great", "great but bad"],
    ["emoji praise", "ok 😍", "ok"],
    ["emoji blame", "ok", "ok 😡"],
    ["a skin tone changes nothing to blame", "👍🏽", "👎🏽"],
    ["newer emoji", "🤣", "🤮"],
    ["emoticons", "fine :)", "fine :("],
    ["an emoticon grown to a word", "fine:)", "fine:("],
    ["D: is dismay, not a mirrored grin", ":D", "D:"],
    ["an escaped heart", "this &lt;3", "this"],
    ["a dropped g", "lovin it", "it"],
    ["a hashtag's last word", "made it to work", "made it to work #careerfail"],
    ["can't wait", "can't wait for it", "can't stand it"],
    ["a negation at a sentence's head negates less", "Not sure about it", "i am not sure about it"],
    ["n't at a sentence's head negates as ever", "win it", "Don't win it"],
    ["a hashtag's word is fainter", "won", "#won"],
    ["liking", "i like frogs", "looks like frogs"],
  ];
  it.each(higher)("%s", (_, more, less) => {
    expect(scoreText(more)).toBeGreaterThan(scoreText(less));
  });

  it("negated blame says less than negated praise", () => {
    const blame = scoreText("it is not terrible");
    expect(blame).toBeGreaterThan(0);
    expect(blame).toBeLessThan(-scoreText("it is not great") / 2);
  });

  it.each([
    ["this is good", "positive"],
    ["this is not good", "negative"],
    ["not bad", "positive"],
    ["I don't like this", "negative"],
    ["never been so happy", "positive"],
    ["what a horrible, terrible day", "negative"],
    ["it isn't nice", "negative"],
    ["ugh, this sucks :(", "negative"],
    ["hahahahaha", "positive"],
    ["the train leaves at noon", "neutral"],
    ["https://good.example/love/great", "neutral"],
    ["@lovelygreatperson", "neutral"],
    ["", "neutral"],
    ["   \n\t ", "neutral"],
    ["?!...", "neutral"],
  ])("%j is %s", (text, label) => {
    expect(labelOf(scoreText(text))).toBe(label);
  });
});

describe("scoreChatText: what only chat says", () => {
  it.each(
    `KEKW|PogChamp|Pog|POGGERS|poggers|LUL|omegalul|OMEGALUL|catJAM|FeelsGoodMan|FeelsStrongMan|
    Kreygasm|5Head|HYPERS|pepeLaugh|Clap|widepeepoHappy|EZ Clap|gg|ez|ggwp|W|W W W|W stream|clutch|
    based|lmaooooo|xD|XD|xdddd|<3|streamerHype|someoneLove streamerHug|KappaPride|letsgooooo|
    LETS GO|BASED AS FUCK|10/10|hahahaha|HeyGuys everyone|4Head`
      .split("|")
      .map((text) => text.trim()),
  )("%s is positive", (text) => {
    expect(scoreChatText(text)).toBeGreaterThan(NEUTRAL_WITHIN);
  });

  it.each(
    `BibleThump|Sadge|sadge|PepeHands|FeelsBadMan|ResidentSleeper|NotLikeThis|monkaS|D:|F|F in chat|
    L|L take|cringe|copium|DansGame|WutFace|BabyRage|rip|streamerSad|megafrRage|this is so cringe|
    actual trash|haHAA|WeirdChamp|bruuuuh`
      .split("|")
      .map((text) => text.trim()),
  )("%s is negative", (text) => {
    expect(scoreChatText(text)).toBeLessThan(-NEUTRAL_WITHIN);
  });

  it.each([
    "Kappa",
    "!docket",
    "what song is this",
    "?",
    "hello chat",
    "TriHard",
    "someoneBonk",
    "L O L Z",
    "f5",
    "G",
    "W1",
    "subscribed with Prime",
    "modCheck",
  ])("%s is neutral", (text) => {
    expect(Math.abs(scoreChatText(text))).toBeLessThanOrEqual(NEUTRAL_WITHIN);
  });

  it("hears sarcasm beside praise", () => {
    expect(scoreChatText("great play Kappa")).toBeLessThan(scoreChatText("great play") / 2);
  });

  it("counts an emote said again, but less each time", () => {
    const [one, two, many] = ["LUL", "LUL LUL", "LUL ".repeat(60)].map(scoreChatText) as [
      number,
      number,
      number,
    ];
    expect(two).toBeGreaterThan(one);
    expect(many).toBeGreaterThan(two);
    expect(many).toBeLessThan(scoreChatText("LUL PogChamp <3"));
  });

  it("ignores the tag character that clients append to a message said twice", () => {
    expect(scoreChatText("F \u{E0000}")).toBe(scoreChatText("F"));
  });

  it("leaves single letters and emotes alone in plain text", () => {
    for (const text of ["F", "W", "L", "PogChamp", "KEKW"]) expect(scoreText(text)).toBe(0);
  });
});

describe("scoreMessage", () => {
  const emote = (text: string) => ({ text, emote: { id: "1", provider: "twitch" as const } });

  it("is the text's score where no fragment is known", () => {
    expect(scoreMessage({ body: "so good LUL", fragments: [] })).toBe(scoreChatText("so good LUL"));
  });

  it("takes emotes from their fragments", () => {
    const fragments = [{ text: "that was " }, emote("PogChamp")];
    expect(scoreMessage({ body: "that was PogChamp", fragments })).toBe(
      scoreChatText("that was PogChamp"),
    );
  });

  it("does not read an emote's name as a word", () => {
    expect(scoreMessage({ body: "terrible", fragments: [emote("terrible")] })).toBe(0);
    expect(scoreChatText("terrible")).toBeLessThan(0);
  });

  it("knows a channel's emote by how it ends", () => {
    expect(scoreMessage({ body: "abcLove", fragments: [emote("abcLove")] })).toBeGreaterThan(0.2);
  });
});

describe("any text", () => {
  const pieces = fc.constantFrom(
    ..."good bad not very LUL :) :( !!! ??? but no #fail @x http://a 😀 \u{1F44D}\u{1F3FD} ".split(
      " ",
    ),
    ..."\u200d \ufe0f \ud83d \udc4d \u202e \u0301\u0301\u0301 &lt; &amp; ' - -- n't sooooo F W".split(
      " ",
    ),
    " ",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(" ")),
    fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join("")),
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
      .map((codes) => String.fromCharCode(...codes)),
  );

  it("gets a finite score from -1 to 1, the same each time", () => {
    fc.assert(
      fc.property(text, text, (first, second) => {
        for (const score of [scoreText, scoreChatText]) {
          const value = score(first);
          expect(Number.isFinite(value)).toBe(true);
          expect(Math.abs(value)).toBeLessThanOrEqual(1);
          score(second);
          expect(score(first)).toBe(value);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("scores the same with other spaces between and around", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
        for (const score of [scoreText, scoreChatText]) {
          expect(score(` \t${parts.join("  \n ")}\u00a0`)).toBe(score(parts.join(" ")));
        }
      }),
    );
  });

  it("reads a word the same in small letters and with a capital at its head", () => {
    const word = fc.constantFrom("good", "terrible", "love", "hate", "table", "sooooo", "lol");
    fc.assert(
      fc.property(word, (lower) => {
        expect(scoreText(lower[0]!.toUpperCase() + lower.slice(1))).toBe(scoreText(lower));
      }),
    );
  });

  it.each([
    ["one word", "a".repeat(2_000_000)],
    ["one letter after another", "good ".repeat(400_000)],
    ["marks", "!?:)(".repeat(400_000)],
    ["halves of surrogate pairs", "\ud83d".repeat(2_000_000)],
    ["emoji", "😍".repeat(600_000)],
    ["combining marks", `e${"\u0301".repeat(2_000_000)}`],
    ["apostrophes and hyphens", "a'-".repeat(600_000)],
    ["a hash and letters", `#${"fail".repeat(500_000)}`],
    ["escapes", "&lt;".repeat(500_000)],
    ["nothing", " ".repeat(2_000_000)],
  ])("takes two million characters of %s in linear time", (_, long) => {
    const startMs = performance.now();
    expect(Math.abs(scoreChatText(long))).toBeLessThanOrEqual(1);
    // Quadratic work would take hours; a loaded machine must still pass.
    expect(performance.now() - startMs).toBeLessThan(20_000);
  });
});

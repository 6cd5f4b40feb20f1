// What the streamer of a sample says: calm talk from sentence patterns, and for each kind of moment a
// sentence that leads up to it and some that shout.
import type { Random } from "./random.ts";

const PARTS = {
  place: [
    "cave",
    "tower",
    "old mine",
    "harbour",
    "market",
    "north gate",
    "swamp",
    "library",
    "bridge",
    "lower camp",
  ],
  thing: [
    "key",
    "map",
    "lantern",
    "shield",
    "potion",
    "rope",
    "compass",
    "blue crystal",
    "letter",
    "bow",
  ],
  person: [
    "the blacksmith",
    "the old captain",
    "the guard",
    "the merchant",
    "the ferryman",
    "our guide",
  ],
  time: [
    "last week",
    "yesterday",
    "on the first day",
    "before the patch",
    "in the other run",
    "this morning",
  ],
  task: [
    "sort the inventory",
    "sell the spare armour",
    "fill up on arrows",
    "check the quest log",
    "save the game",
    "fix the settings",
  ],
} as const;

const CALM = [
  "Okay, so the plan is to walk to the {place} and look for the {thing}.",
  "I think {person} said something about the {place}.",
  "Let me just {task} before we move on.",
  "We were here {time}, and I left the {thing} behind.",
  "So the {place} is on the left, and the {place2} is a bit further down.",
  "If you are new here, we started this game {time}.",
  "I am going to {task}, and then we talk to {person}.",
  "The music in this part is quite nice, it reminds me of the {place}.",
  "There should be a {thing} somewhere around the {place}.",
  "Somebody asked about the {thing}, you get it from {person}.",
  "This part is mostly walking, so let me have some water.",
  "I will put the {thing} in the chest and take the {thing2} instead.",
  "My brother played this {time} and he got stuck at the {place}.",
  "The map says the {place} is closed at night.",
  "We have about forty coins, that is enough for a {thing}.",
  "I changed the settings {time}, so the picture should be smoother.",
  "Then we follow the road until we see the {place}.",
  "It rains a lot in this area, I suppose that is normal.",
  "{person} wants us to bring the {thing} back to the {place}.",
  "Okay, that is done, next is the {place}.",
] as const;

/** Kinds of moments, each with how it begins, what is shouted, and how chat takes it. */
export const MOMENT_KINDS = ["clutch", "scare", "drop", "fail"] as const;
export type MomentKind = (typeof MOMENT_KINDS)[number];

const LEAD: Record<MomentKind, readonly string[]> = {
  clutch: [
    "Careful now, this is the boss of the {place}.",
    "One hit left, I have to be quick here.",
  ],
  scare: [
    "It is very quiet in this {place}, I do not like it.",
    "Wait, what is that behind the door?",
  ],
  drop: [
    "Let us open the last chest of the {place}.",
    "I do not expect much, but we open it anyway.",
  ],
  fail: [
    "This jump is easy, I have done it many times.",
    "Watch this, I will cross the {place} in one go.",
  ],
};

const SHOUTS: Record<MomentKind, readonly string[]> = {
  clutch: [
    "Yes! Yes! Oh my god, we did it!",
    "Let's go! That was insane!",
    "With one hit point left, that is unbelievable!",
    "No way! Did you see that dodge?",
    "Clutch! What a fight, that was amazing!",
  ],
  scare: [
    "Aah! What is that thing? Run, run, run!",
    "Oh no, oh no, it is right behind me!",
    "Holy, that scared me so much!",
    "Jesus! My heart! That was horrible!",
    "Nope! Nope! I am out of here!",
  ],
  drop: [
    "Wow! Wait, is that the golden {thing}? No way!",
    "Oh my god! That is the rarest one in the game!",
    "Look at this! This is incredible!",
    "Yes! I never get this lucky!",
    "It is legendary! That is so awesome!",
  ],
  fail: [
    "No! No, no, no! What did I do?",
    "Oh my god, I fell again! That is so embarrassing!",
    "Are you kidding me? That was the worst jump ever!",
    "I hate this! Oh, that is hilarious though!",
    "Everything is gone! I can not believe it!",
  ],
};

const fill = (random: Random, pattern: string): string => {
  const used = new Set<string>();
  const text = pattern.replace(/\{(\w+?)2?\}/gu, (_, name: keyof typeof PARTS) => {
    const free = PARTS[name].filter((word) => !used.has(word));
    const word = random.pick(free);
    used.add(word);
    return word;
  });
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** An endless supply of calm sentences that does not repeat one soon. */
export const calmTalk = (random: Random): (() => string) => {
  let queue: string[] = [];
  return () => {
    if (queue.length === 0) queue = random.shuffled(CALM);
    return fill(random, queue.pop() ?? CALM[0]);
  };
};

export const leadInto = (random: Random, kind: MomentKind): string =>
  fill(random, random.pick(LEAD[kind]));

export const shoutsOf = (random: Random, kind: MomentKind, count: number): string[] =>
  random
    .shuffled(SHOUTS[kind])
    .slice(0, count)
    .map((pattern) => fill(random, pattern));

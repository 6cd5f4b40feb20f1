// The chat of a sample: people who write now and then, who react some seconds after a moment, and
// who have nothing to do with the picture when a raid arrives or somebody spams.
import type { ChatFragment, ChatMessage, ChatUser } from "#shared/contract/chat.ts";
import { raidHello, reaction, smallTalk, spamText, TWITCH_EMOTES } from "./chatTalk.ts";
import type { Random } from "./random.ts";
import type { Decoy, Moment } from "./scene.ts";

const NAME_STARTS = [
  "pixel",
  "lunar",
  "quiet",
  "turbo",
  "mossy",
  "amber",
  "frosty",
  "clever",
  "rusty",
  "velvet",
  "tiny",
  "solar",
];
const NAME_ENDS = [
  "otter",
  "comet",
  "waffle",
  "raven",
  "pebble",
  "tiger",
  "noodle",
  "wizard",
  "maple",
  "falcon",
  "button",
  "gecko",
];
const COLORS = [
  "#FF4500",
  "#1E90FF",
  "#8A2BE2",
  "#2E8B57",
  "#DAA520",
  "#FF69B4",
  "#00FF7F",
  "#B22222",
];

/** When the stream of a sample began; any day does, as long as it is always the same. */
export const STREAM_BEGAN = "2026-01-10T18:00:00.000Z";

const peopleOf = (random: Random, count: number, prefix: string): ChatUser[] =>
  Array.from({ length: count }, (_, i) => {
    const name = `${random.pick(NAME_STARTS)}_${random.pick(NAME_ENDS)}${i}`;
    const badges = [];
    if (prefix === "viewer" && i === 0) badges.push({ id: "moderator", version: "1" });
    if (random.chance(0.3))
      badges.push({ id: "subscriber", version: String(random.pick([0, 3, 6, 12])) });
    if (random.chance(0.15)) badges.push({ id: "premium", version: "1" });
    return {
      id: String(prefix === "viewer" ? 1000 + i : 5000 + i),
      login: name,
      name,
      ...(random.chance(0.8) ? { color: random.pick(COLORS) } : {}),
      badges,
    };
  });

/** The text cut at Twitch's emotes, as Twitch cuts it. */
const fragmentsOf = (body: string): ChatFragment[] => {
  const fragments: ChatFragment[] = [];
  for (const part of body.split(/( )/u)) {
    const id = TWITCH_EMOTES[part];
    const last = fragments.at(-1);
    if (id !== undefined) fragments.push({ text: part, emote: { id, provider: "twitch" } });
    else if (last !== undefined && last.emote === undefined) last.text += part;
    else if (part !== "") fragments.push({ text: part });
  }
  return fragments;
};

interface Line {
  sec: number;
  user: ChatUser;
  body: string;
  bits?: number;
}

export interface ChatScene {
  durationSec: number;
  chatDelaySec: number;
  moments: readonly Moment[];
  decoys: readonly Decoy[];
}

const small = (random: Random, scene: ChatScene, people: readonly ChatUser[]): Line[] => {
  const perSec = random.between(0.5, 1.4);
  const lines: Line[] = [];
  for (
    let sec = random.exponential(1 / perSec);
    sec < scene.durationSec;
    sec += random.exponential(1 / perSec)
  ) {
    lines.push({ sec, user: random.pick(people), body: smallTalk(random) });
  }
  return lines;
};

const reactionsTo = (
  random: Random,
  moment: Moment,
  delaySec: number,
  people: readonly ChatUser[],
): Line[] => {
  const keen = random.shuffled(people).slice(0, random.int(22, 40));
  return keen.flatMap((user) => {
    const seen = random.between(moment.startSec, Math.max(moment.startSec, moment.endSec - 2));
    const first = seen + delaySec + random.exponential(1.5);
    const line: Line = { sec: first, user, body: reaction(random, moment.kind) };
    if (random.chance(0.04)) Object.assign(line, { bits: 100, body: `Cheer100 ${line.body}` });
    if (!random.chance(0.3)) return [line];
    return [line, { sec: first + random.between(2, 5), user, body: reaction(random, moment.kind) }];
  });
};

const raid = (random: Random, decoy: Decoy): Line[] => {
  const from = `${random.pick(NAME_STARTS)}${random.pick(NAME_ENDS)}`;
  const raiders = peopleOf(random, random.int(30, 45), "raider");
  return raiders.flatMap((user) => {
    // All at once, then a long tail.
    const sec = Math.min(decoy.startSec + random.exponential(4), decoy.endSec);
    const line = { sec, user, body: raidHello(random, from) };
    if (!random.chance(0.4)) return [line];
    return [
      line,
      {
        sec: Math.min(sec + random.between(1, 6), decoy.endSec),
        user,
        body: raidHello(random, from),
      },
    ];
  });
};

const spam = (random: Random, decoy: Decoy, people: readonly ChatUser[]): Line[] => {
  const pasted = random.chance(0.5);
  const text = spamText(random, pasted ? "pasted" : "advert");
  // A text that many paste, or a few accounts that flood.
  const users = pasted ? random.shuffled(people).slice(0, 26) : peopleOf(random, 4, "spammer");
  return Array.from({ length: random.int(34, 50) }, () => ({
    sec: random.between(decoy.startSec, decoy.endSec),
    user: random.pick(users),
    body: random.chance(0.3) ? `${text} ${random.pick(["LUL", "pls", "!!", "Kappa", "1"])}` : text,
  }));
};

/** All messages of a scene, by time. Like Twitch's replay, their offsets are whole seconds. */
export const chatOf = (random: Random, scene: ChatScene): ChatMessage[] => {
  const people = peopleOf(random, 70, "viewer");
  const lines = [
    ...small(random, scene, people),
    ...scene.moments.flatMap((moment) => reactionsTo(random, moment, scene.chatDelaySec, people)),
    ...scene.decoys.flatMap((decoy) => {
      if (decoy.kind === "jingle") return [];
      return decoy.kind === "raid" ? raid(random, decoy) : spam(random, decoy, people);
    }),
  ]
    .filter(({ sec }) => sec < scene.durationSec)
    .sort((a, b) => a.sec - b.sec);
  const began = Date.parse(STREAM_BEGAN);
  return lines.map(({ sec, user, body, bits }, i) => ({
    id: `sample-${String(i).padStart(5, "0")}`,
    offsetSec: Math.floor(sec),
    createdAt: new Date(began + Math.round(sec * 1000)).toISOString(),
    user,
    body,
    fragments: fragmentsOf(body),
    bits: bits ?? 0,
  }));
};

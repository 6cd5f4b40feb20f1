// One comment of Twitch's replay as a chat message.
import type { ChatMessage } from "../contract/chat.ts";
import type { TwitchCommentNode } from "../source/twitchApi.ts";

// The prefixes that work in every channel (Twitch's Get Cheermotes, `global_*` types). A replay does
// not say how many bits a message carried; its text does.
const CHEERMOTES = `4Head Anon BibleThump BitBoss Charity Cheer Corgo DansGame DoodleCheer EleGiggle
  FailFish FrankerZ Goal HeyGuys HolidayCheer Kappa Kreygasm MrDestructoid Muxy NotLikeThis PJSalt
  Party Pride RIPCheer Scoops SeemsGood Shamrock ShowLove Streamlabs SwiftRage TriHard VoHiYo bday
  cheerwhal uni`.split(/\s+/);
const CHEER = new RegExp(`(?<=^|\\s)(?:${CHEERMOTES.join("|")})([1-9]\\d{0,6})(?=\\s|$)`, "gi");

/** Bits cheered in a text: `Cheer100 uni50` is 150. */
const bitsIn = (text: string): number => {
  if (!/\d/.test(text)) return 0; // nearly every message, and much quicker to see
  let bits = 0;
  for (const match of text.matchAll(CHEER)) bits += Number(match[1]);
  return bits;
};

export const toChatMessage = (node: TwitchCommentNode): ChatMessage => {
  const fragments = node.message.fragments.map(({ text, emote }) => {
    // `id` is `emoteID;from;to`; only the emote's own id means something elsewhere.
    const id = emote?.emoteID ?? emote?.id?.split(";")[0];
    return id ? { text, emote: { id, provider: "twitch" as const } } : { text };
  });
  const body = fragments.map(({ text }) => text).join("");
  const login = node.commenter?.login ?? "";
  return {
    id: node.id,
    offsetSec: node.contentOffsetSeconds,
    ...(node.createdAt ? { createdAt: node.createdAt } : {}),
    user: node.commenter
      ? {
          id: node.commenter.id,
          login,
          name: node.commenter.displayName?.trim() || login,
          ...(node.message.userColor ? { color: node.message.userColor } : {}),
          badges: (node.message.userBadges ?? [])
            .filter(({ setID }) => setID !== "")
            .map(({ setID, version }) => ({ id: setID, version })),
        }
      : null,
    body,
    fragments,
    bits: bitsIn(body),
  };
};

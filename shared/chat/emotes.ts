// Emotes of BTTV, FFZ and 7TV are plain words in a message; only their names tell them. The names
// come from the chat file where it brings them, else from a kept list of the best-known ones.
import type { ChatFragment, ChatMessage, EMOTE_PROVIDERS } from "../contract/chat.ts";

type Emote = NonNullable<ChatFragment["emote"]>;
type ThirdParty = Exclude<(typeof EMOTE_PROVIDERS)[number], "twitch">;
export type EmoteNames = ReadonlyMap<string, Emote>;

/**
 * The global sets of the three services (the lists that their public endpoints
 * `betterttv/cached/emotes/global`, `frankerfacez/set/global` and `7tv/emote-sets/global` answer),
 * and channel emotes so widespread that they are chat's own vocabulary, each under the service
 * where it is best known. Names that are everyday English words are left out.
 */
const KNOWN_NAMES: Record<ThirdParty, string> = {
  bttv: `:tf: CiGrip DatSauce ForeverAlone GabeN HailHelix ShoopDaWhoop M&Mjc bttvNice
    WatChuSay tehPoleCat TaxiBro BroBalt CandianRage D: VisLaud KaRappa FishMoley
    Hhhehehe KKona PoleDoge sosGame CruW RarePepe haHAA FeelsBirthdayMan RonSmug KappaCool
    FeelsBadMan bUrself ConcernDoge FeelsGoodMan FireSpeed NaM SourPls SaltyCorn monkaS
    VapeNation ariW notsquishY FeelsAmazingMan DuckerZ SqShy Wowee WubTF cvHazmat cvMask
    catJAM blobDance AlienPls sumSmash PepePls pepeD pepeJAM ppHop PepoThink HACKERMANS
    modCheck BBoomer monkaTOS monkaX GIGACHAD`,
  ffz: `BeanieHipster CatBag LaterSooner LilZ ManChicken YellowFever YooHoo ZreknarF ZrehplaR BORT
    KEKW OMEGALUL LULW PepeLaugh PepeHands monkaW monkaHmm monkaGIGA POGGERS PogU WeirdChamp
    PogChampion Pepega AYAYA Sadge Madge Pog widepeepoHappy widepeepoSad peepoClap FeelsRainMan
    FeelsWowMan FeelsPumpkinMan PauseChamp HYPERS KKonaW 5Head 3Head 4Weird FeelsSpecialMan
    gachiW gachiHYPER PepoG Kapp forsenE HandsUp WideHard`,
  "7tv": `FeelsDankMan FeelsOkayMan FeelsStrongMan FeelsWeirdMan forsenPls gachiGASM gachiBASS
    nymnCorn peepoHappy peepoSad peepoPls ApuApustaja BillyApprove EZ Gayge GuitarTime RainTime
    RoxyPotato TeaTime PETPET ppL WAYTOODANK YEAHBUT7TV RareParrot reckH SteerR BasedGod
    CrayonTime AlienDance AlienPls3 COPIUM Copium Prayge Bedge Susge KEKWait OMEGADANCE xdd
    ICANT peepoGiggles Hmmge Okayge Clueless NOOOO Deadge HUHH`,
};

/** Known emotes by name; the id of these is the name itself, since ids differ between channels. */
export const KNOWN_EMOTES: EmoteNames = new Map(
  Object.entries(KNOWN_NAMES).flatMap(([provider, names]) =>
    names
      .split(/\s+/)
      .map((name): [string, Emote] => [name, { id: name, provider: provider as ThirdParty }]),
  ),
);

const splitFragment = (fragment: ChatFragment, names: EmoteNames): ChatFragment[] => {
  const parts: ChatFragment[] = [];
  let from = 0;
  for (const word of fragment.text.matchAll(/\S+/g)) {
    const emote = names.get(word[0]);
    if (emote === undefined) continue;
    if (word.index > from) parts.push({ text: fragment.text.slice(from, word.index) });
    parts.push({ text: word[0], emote });
    from = word.index + word[0].length;
  }
  if (parts.length === 0) return [fragment];
  if (from < fragment.text.length) parts.push({ text: fragment.text.slice(from) });
  return parts;
};

/** The message with every word that is an emote of `names` as a fragment of its own. */
export const recogniseEmotes = (message: ChatMessage, names: EmoteNames): ChatMessage => {
  let changed = false;
  const fragments = message.fragments.flatMap((fragment) => {
    if (fragment.emote !== undefined) return [fragment];
    const parts = splitFragment(fragment, names);
    changed ||= parts.length > 1 || parts[0] !== fragment;
    return parts;
  });
  return changed ? { ...message, fragments } : message;
};

/** Which service an embedded emote is from, by its address, else by the shape of its id. */
export const providerOf = (id: string, url: string): ThirdParty => {
  if (url.includes("7tv.")) return "7tv";
  if (url.includes("frankerfacez")) return "ffz";
  if (url.includes("betterttv")) return "bttv";
  if (/^\d+$/.test(id)) return "ffz";
  return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(id) ? "7tv" : "bttv";
};

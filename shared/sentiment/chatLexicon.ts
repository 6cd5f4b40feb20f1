// What Twitch chat says that no published lexicon has: emotes and slang. Each group has one
// valence on the lexicons' scale (-4 to 4) and the reason for it. Names are those of Twitch's
// global emotes and of the most used BTTV, FFZ and 7TV ones; an emote that only decorates, or that
// is used for good and bad alike, is left out and counts for nothing.

interface Group {
  readonly why: string;
  readonly valence: number;
  readonly names: string;
}

/** Emotes by name. Their case is part of the name; long names are also known in lower case. */
export const EMOTES: readonly Group[] = [
  {
    why: "laughter: people are amused",
    valence: 1.7,
    names: `LUL LuL LULW LULWut KEKW KEKL KEK OMEGALUL OMEGALULiguess ICANT 4Head
      EleGiggle TehePelo PepeLaugh pepeLaugh PEPELAUGH LOLW ZULUL HAHAA forsenLUL CarlSmile
      peepoGiggles peepoGiggle Giggle MEGALUL icant`,
  },
  {
    why: "excitement: something great just happened",
    valence: 2.3,
    names: `PogChamp Pog POG POGGERS Poggers PogU POGU PagChomp PagMan Pogey POGCRAZY POGSLIDE
      PogBones PogTasty POGGIES Poggies COGGERS PAGGERS HYPERS HYPERPOGGER HYPERCLAP PogYou
      PartyTime PowerUpL PowerUpR LETSGO LETSGOOO LETSFUCKINGGO GIGACHAD Gigachad WICKED
      FeelsAmazingMan HYPE Hype Hypers PogSlide CurseLit TwitchLit`,
  },
  {
    why: "joy, comfort, dancing along, applause",
    valence: 1.8,
    names: `FeelsGoodMan FeelsOkayMan FeelsBirthdayMan FeelsStrongMan peepoHappy widepeepoHappy
      peepoClap peepoHey peepoArrive peepoDJ peepoCheer peepoComfy Comfi comfi catJAM ratJAM
      pepeJAM PepeJAM pepeD dogJAM duckJam Jammies vibePls peepoDance PepoDance blobDance SourPls
      RainbowPls AYAYA Ayaya HappyJack SeemsGood VoHiYo HeyGuys KonCha FutureMan CoolCat CorgiDerp
      Kreygasm OhMyDog Clap EZClap EZ GivePLZ TakeNRG HSCheers SingsNote GuitarTime DinoDance
      TPFufun PunOko gachiBASS gachiHYPER gachiGASM BOOBA Okayge Happi happi NODDERS
      PETTHECAT`,
  },
  {
    why: "affection and support",
    valence: 2.2,
    names: `<3 bleedPurple LuvSign LuvHearts LuvBlondeL LuvBlondeR LuvCool LuvPeekL LuvPeekR peepoHug
      peepoLove peepoHeart peepoBlush peepoKiss VirtualHug bttvNice PurpleStar TwitchUnity
      GayPride TransgenderPride BisexualPride KappaPride catKISS HUGGIES peepoFlower BlessRNG
      Prayge MercyWing1 MercyWing2 VoteYea`,
  },
  {
    why: "skill, cleverness, respect",
    valence: 1.7,
    names: "5Head BigBrother GG Clutch BASED Based Bussin EZY peepoSmart ",
  },
  {
    why: "sadness and regret",
    valence: -1.8,
    names: `BibleThump PepeHands Sadge SADGE sadCat Sadeg FeelsBadMan FeelsRainMan FeelsSadMan
      peepoSad peepoCry widepeepoSad PoroSad pepeCry Despair Smadge sadKEK CryingCat catCry
      Deadge ResidentWeeper Aware sajj`,
  },
  {
    why: "dismay at a blunder, disgust, embarrassment",
    valence: -1.6,
    names: `NotLikeThis FailFish DansGame WutFace NOOO NOOOO haHAA DIESOFCRINGE CringeChamp Cringe
      Weirdge WeirdChamp weirdChamp FeelsWeirdMan WeirdDude Pepega NOPERS DISGUSTED Yikes YIKES
      PepegaAim D:`,
  },
  {
    why: "anger and blame",
    valence: -2.0,
    names: `SwiftRage BabyRage PJSalt Madge MADGE peepoMad AngryJack RAGEY REEEE REEE FeelsMadMan
      pepeGun cmonBruh VoteNay PepeSpit ReeFrog STFU`,
  },
  {
    why: "tension, worry, hope against hope: seldom pleasant",
    valence: -0.9,
    names: `monkaS MonkaS monkaW monkaX monkaGun monkaEyes monkaTOS monkaSHAKE monkaOMEGA monkaGIGA
      PepeS HahaSweat panicBasket PANIC Scared peepoScared Susge Copium COPIUM Copege Hopium`,
  },
  {
    why: "boredom",
    valence: -1.5,
    names: "ResidentSleeper Bored Boring BORPA SNORE YAWN Yawn Sleepge",
  },
  {
    why: "teasing: amused, at somebody's cost",
    valence: 0.6,
    names: "Jebaited JEBAITED GOTTEM PepePls pepePoint TROLL",
  },
];

/** Emotes that mean the opposite of the praise beside them. */
export const SARCASM: readonly string[] = ["Kappa", "KappaHD", "Keepo", "kappa", "Clueless"];

/** Slang in any case. Words that the lexicons have are here where chat means something else. */
export const SLANG: readonly Group[] = [
  {
    why: "laughter in spellings that the lexicons lack",
    valence: 1.6,
    names: "lul lulw kek kekw omegalul lmaoo lmaooo lool lawl lel xdd xddd jaja jajaja kkkk icant",
  },
  {
    why: "excitement and praise",
    valence: 2.2,
    names: `pog pogger poggers poggies pogchamp poggo pogu pogging hype hyped hypers goat goated
      gigachad legend legendary godlike godly clutch clutched letsgo letsgoo letsgooo bussin banger
      sheesh based nutty`,
  },
  {
    why: "courtesies of play, thanks, greetings of success",
    valence: 1.6,
    names: `gg ggs ggwp wp gj grats gratz congratz ty tysm thx tyvm ily ilysm wholesome glhf dub dubs
      noice ez ezpz ezclap woo wooo woohoo comfy lit dope epic cutie hai`,
  },
  {
    why: "blame, failure, disgust, pity",
    valence: -1.8,
    names: `cringe cringy cringey toxic choked dogshit dogwater noob scrub inting griefing scuffed
      clickbait yikes oof ugh smh malding salty tilted rigged stfu kys gtfo unwatchable weirdchamp
      bruh sadge sadeg feelsbad rip laggy lagging trash garbage throwing`,
  },
  { why: "mild loss or worry", valence: -0.8, names: "copium lag nerf nerfed sus meh" },
  {
    why: "said of good and bad alike, though the lexicons call them bad or good",
    valence: 0,
    names: "insane crazy nuts sub subs bot bots",
  },
];

/** Letters that stand for winning, losing and paying respects; alone, or at the head of a few words. */
export const LETTERS: Readonly<Record<string, number>> = { W: 2, L: -1.8, F: -1.4 };

/** What means something only when it is the whole message. */
export const WHOLE_MESSAGES: Readonly<Record<string, number>> = {
  WW: 2,
  WWW: 2,
  WWWW: 2,
  LL: -1.8,
  LLL: -1.8,
  FF: -1.5,
  f: -1.2,
  "10/10": 2.5,
  "0/10": -2.5,
  "+1": 0.8,
  "-1": -0.8,
};

/** How channels' own emotes end:`streamerHype`,`streamerSad`. */
export const EMOTE_ENDINGS: readonly Group[] = [
  { why: "excitement", valence: 2.0, names: "hype pog pogu wow hyper hypers lit gg win clutch ez" },
  {
    why: "warmth",
    valence: 1.9,
    names:
      "love heart hug hugs cute happy luv dance jam party comfy pat nice cool clap cheer yay hi",
  },
  { why: "laughter", valence: 1.7, names: "lul lol laugh kek kekw omega lmao hehe giggle" },
  { why: "sadness", valence: -1.8, names: "sad cry tears rip feels sadge f fail hands" },
  { why: "anger", valence: -1.8, names: "rage angry mad salt salty ree hate" },
  { why: "worry, disgust", valence: -1.2, names: "monka monkas scared sweat ew gross cringe wut" },
];

// What Twitch chat says that no published lexicon has: emotes and slang. Each group has one
// valence on the lexicons' scale (-4 to 4) and the reason for it. Names are those of Twitch's
// global emotes and of the most used BTTV, FFZ and 7TV ones; a site's emote that only decorates
// is left out, and so counts for nothing.

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
    names: `LUL LULW LuL KEKW KEKL KEKLEO OMEGALUL OMEGALULiguess OMEGADANCE LMFAO ICANT DIESOFCRINGE
      4Head xqcL LULWut PepeLaugh pepeLaugh PEPELAUGH pepeLaughing KEKWlaugh hehe HAHAA TehePelo
      CarlSmile ROFL LOLW ZULUL JoyCat ElNoSabe forsenLUL xqcOmega roflanEbalo ROLF`,
  },
  {
    why: "excitement: something great just happened",
    valence: 2.3,
    names: `PogChamp Pog POG POGGERS Poggers PogU POGU PagChomp PagMan Pogey POGCRAZY POGSLIDE
      PogBones PogTasty PogPop POGGIES pogg COGGERS PAGGERS Poggies HYPERS HYPERPOGGER HYPERCLAP
      HypeHeh PartyTime PowerUpL PowerUpR LETSGO LETSGOOO LETSFUCKINGGO GIGACHAD Gigachad W5
      PogYou WICKED FeelsAmazingMan HYPE Hype pogSlide`,
  },
  {
    why: "joy, comfort, dancing along",
    valence: 1.8,
    names: `FeelsGoodMan FeelsOkayMan FeelsBirthdayMan peepoHappy widepeepoHappy peepoClap peepoLove
      peepoHey peepoArrive peepoDJ peepoCheer peepoComfy catJAM ratJAM pepeJAM PepeJAM pepeD
      vibePls dogJAM duckJam pepoDance PepegaJAM WideHardo AYAYA Ayaya HappyJack SeemsGood
      VoHiYo FutureMan CoolCat CorgiDerp bleedPurple TwitchUnity GlitchCat Kreygasm BlessRNG
      OhMyDog Clap EZClap GivePLZ TakeNRG HSCheers SingsNote DinoDance BOOBA SirUwU UWot
      TPFufun PunOko MercyWing1 MercyWing2 CurseLit Comfi Okayge PETTHE HUGGIES Prayge HeyGuys
      FeelsStrongMan KonCha forsenE GuitarTime blobDance Jammies SourPls RainbowPls happi
      gachiBASS gachiHYPER EZY`,
  },
  {
    why: "affection",
    valence: 2.2,
    names: `LuvSign LuvHearts LuvBlondeL LuvBlondeR LuvCool peepoHug bttvNice VirtualHug TwitchLit
      PurpleStar GayPride TransgenderPride BisexualPride peepoHeart peepoBlush peepoKiss
      KappaPride FortOne StinkyLove <3 L0VE catKISS Loves DonoWall ShyCat`,
  },
  {
    why: "skill, winning, cleverness, respect",
    valence: 1.6,
    names: `EZ 5Head BigBrother GG VoteYea CoolStoryBob Clutch SUSSY BASED Based Bussin EleGiggle
      PJSugar TheIlluminati SoBayed ImTyping POGPLANT SabaPing widepeepoEZ SMOrc peepoSmart
      TriHard Chatting YEP`,
  },
  {
    why: "sadness and regret",
    valence: -1.8,
    names: `BibleThump PepeHands Sadge sadge SADGE sadCat FeelsBadMan FeelsRainMan peepoSad
      widepeepoSad Sadeg PoroSad CryCat pepeCry pepeRun Despair Smadge FeelsSadMan sadKEK
      Awkward Bedge SadLul peepoCry TearGlove PepoSad crying widepeepoCry Deadge deadge
      FeelsLateMan`,
  },
  {
    why: "dismay at a blunder",
    valence: -1.6,
    names: `NotLikeThis FailFish PepegaAim NOOO NOOOO D: monkaGIGA DansGame WutFace Jebaited_F
      FeelsDankMan WTFF haHAA cringe Cringe CringeChamp BruhMoment SadgeCry UNSANE Weirdge
      WeirdChamp weirdChamp FeelsWeirdMan WeirdDude WeirdEyes Pepega pepega NOPERS
      WaitWhat DISGUSTED HUHH YIKES`,
  },
  {
    why: "anger and blame",
    valence: -2.0,
    names: `SwiftRage BabyRage PJSalt SMOrcRage Madge MADGE peepoMad AngryJack RAGEY REEEE REEE
      FeelsMadMan PunchTrees pepeGun cmonBruh KKomrade VoteNay PepeSpit ANGRE DarkMode
      FUNgineer_F EvilFrog forsenSWA ReeFrog STFU`,
  },
  {
    why: "tension and worry: seldom pleasant",
    valence: -0.9,
    names: `monkaS MonkaS monkaW monkaX monkaGun monkaEyes monkaTOS PepeS monkaSHAKE Monkas
      monkaOMEGA HahaSweat panicBasket PANIC modCheck Scared NervousFrog peepoScared
      peepoShy Susge Copium COPIUM copium Copege Hopium`,
  },
  {
    why: "boredom",
    valence: -1.5,
    names: `ResidentSleeper residentsleeper Zzz Boring Sleepge BORPA Yawn SNORE Bored YAWN
      ResidentWeeper`,
  },
  {
    why: "gloating and teasing: amused, at somebody's cost",
    valence: 0.6,
    names: `Jebaited JEBAITED GOTTEM Gottem KappaClaus PepePls SmugFace CurseYou Keepo MiniK
      PrideWingL Sus KappaRoss KappaWealth LaughingTom gachiGASM TROLL pepePoint NODDERS`,
  },
];

/** Emotes that mean the opposite of the praise beside them. */
export const SARCASM: readonly string[] = [
  "Kappa",
  "KappaHD",
  "Keepo",
  "kappa",
  "Clueless",
  "Sure",
];

/** Slang in any case; words of standard English that chat uses otherwise override the lexicons. */
export const SLANG: readonly Group[] = [
  {
    why: "laughter",
    valence: 1.6,
    names: `lol lul lulw lmao lmfao lmaoo rofl kek kekw omegalul xd xdd haha hahaha jaja jajaja
      kkkk rofl lolol lool icant loool ahaha ahahaha hehe lawl lel`,
  },
  {
    why: "excitement and praise",
    valence: 2.2,
    names: `pog pogger poggers poggies pogchamp poggo pogu hype hyped hypers goat goated
      gigachad legend legendary godlike clutch clutched letsgo letsgoo letsgooo nutty
      bussin banger sheesh godly monster pogging based`,
  },
  {
    why: "courtesies of play and thanks",
    valence: 1.6,
    names: `gg ggs ggwp gj wp nt gz grats gratz congratz ty tysm thx tyvm ily ilysm cutie wholesome
      glhf welcome dub dubs nice1 noice ez ezpz ezclap yay yayy woo wooo woohoo yw hypu
      comfy bless lit dope epic hai`,
  },
  {
    why: "blame, failure, disgust",
    valence: -1.9,
    names: `cringe cringy cringey trash garbage toxic throwing choke choked choking
      dogshit dogwater noob scrub washed boosted inting griefing grief
      scammed scuffed scuff clickbait yikes oof ugh smh boring malding salty tilted
      tilt rigged stfu kys gtfo bs unwatchable weirdchamp lame bruh meh sadge sadeg pepehands
      notlikethis residentsleeper feelsbad feelsbadman feelsweirdman rip nerf nerfed lag laggy
      lagging`,
  },
  { why: "mild loss or worry", valence: -0.8, names: "copium monkas monkaw sus jebaited" },
  { why: "said of good and bad alike", valence: 0, names: "insane crazy nuts sub subs" },
];

/** Messages that are this and no more. Single letters mean nothing inside a sentence. */
export const WHOLE_MESSAGES: Readonly<Record<string, number>> = {
  W: 2.0,
  WW: 2.2,
  WWW: 2.4,
  L: -1.8,
  LL: -1.9,
  F: -1.4,
  f: -1.2,
  FF: -1.5,
  G: 0.3,
  "10/10": 2.5,
  "0/10": -2.5,
  "+1": 0.8,
  "-1": -0.8,
};

/** How channels' own emotes end: `streamerHype`, `streamerSad`. */
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

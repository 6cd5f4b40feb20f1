// The closed classes of English that change what a word says: negations, degree adverbs and a few
// fixed phrases. The classes are those of VADER (Hutto and Gilbert, 2014), with the spellings
// that chat uses.

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Turn the words after them round. Other forms in "n't" are recognised by their ending. */
export const NEGATIONS = words(`
  aint arent cannot cant couldnt darent didnt doesnt dont hadnt hasnt havent isnt mightnt mustnt
  neednt neither never none nope nor not nothing nowhere oughtnt rarely seldom shant shouldnt
  wasnt werent without wont wouldnt despite hardly barely scarcely lacks lacking
  don't didn't doesn't can't won't isn't aren't wasn't wouldn't couldn't shouldn't ain't
`);

/** Between a negation and what it negates: "not a good game", "didn't even feel bad". */
export const TRANSPARENT = words(`
  a an the any that this it its be been being feel look looking seem sound even all much exactly
  have had i i'm im my your
`);

/** Strengthen the next word that has a valence. */
export const BOOSTERS = words(`
  absolutely amazingly awfully completely considerably crazy decidedly deeply effing enormously
  entirely especially exceptionally extremely fabulously flippin flipping freakin freaking frickin
  fricking friggin frigging fucking fuckin fully greatly hella highly hugely incredibly insanely
  intensely legit literally majorly mad more most particularly purely quite rather real really
  remarkably ridiculously seriously so soo stupidly substantially super such thoroughly too totally
  tremendously truly uber unbelievably unusually utterly very way
`);

/** Weaken it. */
export const DAMPENERS = words(`
  almost fairly kinda kindof less little marginally occasionally partly slightly somewhat sorta
  sortof
`);

/** Phrases that weaken what follows. */
export const DAMPENING_PHRASES = ["kind of", "sort of", "just enough", "a bit", "a tad"] as const;

/** Words that say how strongly the word before them was meant. */
export const AFTER_BOOSTERS = words(`af asf`);

/** Said beside a sentence rather than in it, so that no negation reaches them: "I can't lol". */
export const INTERJECTIONS = words(`
  lol lool lmao lmfao rofl haha hahaha ha hehe heh yay woo woohoo wow thanks thank thx ty sorry ugh
  please pls xd gg congrats
`);

/** With "not" before them they praise, or blame, no less: "not only good". */
export const NOT_ONLY = words(`only just`);

/** "like" is a verb of liking only behind one of these; elsewhere it compares. */
export const BEFORE_LIKE_THE_VERB = words(`
  i you we they u people really dont don't didn't didnt doesn't doesnt would to also actually still
  do who guys everyone always never
`);

/** Fixed phrases of two or three words that mean other than their words do. */
export const PHRASES: Readonly<Record<string, number>> = {
  "the shit": 3,
  "the bomb": 3,
  "as fuck": 0,
  "bad ass": 1.5,
  "kick ass": 2,
  "yeah right": -2,
  "cut the mustard": 2,
  "kiss of death": -1.5,
  "hand to mouth": -2,
  "can't wait": 2,
  "cant wait": 2,
  "can not wait": 2,
  "cannot wait": 2,
  "looking forward": 1.5,
  "look forward": 1.5,
  "let's go": 1.8,
  "lets go": 1.8,
  "lets goo": 2,
  letsgo: 2,
  "well played": 2,
  "good game": 1.8,
  "well done": 2.2,
  "no problem": 0.8,
  "no worries": 0.8,
  "no wonder": 0,
  "no way": 0,
  "no doubt": 0.5,
  "oh no": -1.5,
  "hell yeah": 2.2,
  "hell yes": 2.2,
  "holy shit": 0.5,
  "holy fuck": 0.5,
  "the hell": -0.7,
  "sick of": -2,
  "tired of": -1.8,
  "rip off": -1.8,
  "on fire": 1.5,
  "thank you": 1.8,
  "my bad": -0.5,
  "good luck": 1.5,
  "bad luck": -1.5,
  "not bad": 1.2,
  "not too bad": 1.2,
  "not so bad": 1.1,
  "too much": -0.4,
};

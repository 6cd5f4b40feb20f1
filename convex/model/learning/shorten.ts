// Titles that came from elsewhere, as long as a name may be.

/** A text trimmed and on one line, cut at a word with "…" where it has more characters. */
export const shorten = (text: string, maxChars: number): string => {
  const line = text.trim().replaceAll(/\s+/g, " ");
  if (line.length <= maxChars) return line;
  const cut = line.slice(0, maxChars - 1);
  const atWord = cut.replace(/\s+\S*$/, "");
  // Never between the two halves of one character.
  const whole = (atWord.length > maxChars / 2 ? atWord : cut).replace(/[\uD800-\uDBFF]$/, "");
  return `${whole}…`;
};

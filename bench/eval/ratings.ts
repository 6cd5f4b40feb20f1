// Reads texts that people rated: `id, rating, text`, by tab, one a line.

export interface Rated {
  id: string;
  /** As given; null where it cannot be read and need not be. */
  rating: number | null;
  text: string;
}

export interface BadRow {
  line: number;
  reason: string;
}

export interface Ratings {
  rows: Rated[];
  bad: BadRow[];
}

const WORDS: Readonly<Record<string, number>> = { negative: -1, neutral: 0, positive: 1 };

const parseRating = (cell: string): number | null => {
  const text = cell.trim();
  const word = WORDS[text.toLowerCase()];
  if (word !== undefined) return word;
  const value = Number(text);
  return text !== "" && Number.isFinite(value) ? value : null;
};

/**
 * @param content  the file; a first line whose rating is none is a header. A text may hold tabs.
 * @param needRating  whether a row without a rating is bad
 */
export const parseRatings = (content: string, needRating: boolean): Ratings => {
  const rows: Rated[] = [];
  const bad: BadRow[] = [];
  const lines = content.replace(/^\uFEFF/, "").split(/\r?\n/);
  lines.forEach((line, at) => {
    if (line.trim() === "") return;
    const cells = line.split("\t");
    const [id = "", ratingCell = ""] = cells;
    const rating = parseRating(ratingCell);
    const isHeader = at === 0 && rating === null && (needRating || id.toLowerCase() === "id");
    if (isHeader) return;
    const reject = (reason: string): void => {
      bad.push({ line: at + 1, reason });
    };
    if (cells.length < 3) {
      reject(`has ${cells.length} of the 3 columns id, rating, text`);
    } else if (id.trim() === "") reject("has no id");
    else if (needRating && rating === null) reject(`"${ratingCell}" is no rating`);
    else rows.push({ id: id.trim(), rating, text: cells.slice(2).join("\t") });
  });
  return { rows, bad };
};

/** Ratings beyond 1 are on a scale to 4, as the tweets are; the others are from -1 to 1. */
export const scaleOf = (ratings: readonly number[]): number =>
  ratings.some((rating) => Math.abs(rating) > 1) ? 4 : 1;

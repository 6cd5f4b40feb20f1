// Where a row of a list stands is a number between its neighbours' numbers: to move one row is to
// write one. When two neighbours leave no number between them, the list is renumbered.
import { refuse } from "../access.ts";

/** Orders that callers choose are within this, so that there is room around them. */
const MAX_CHOSEN_ORDER = 1e9;

/** Minus zero is another value than zero to an index. */
const unsigned = (order: number): number => order + 0;

/**
 * A number strictly between two others, whole where the neighbours leave room for that.
 * @param before  none: it comes first
 * @param after   none: it comes last
 * @returns undefined when there is none left
 */
export const between = (
  before: number | undefined,
  after: number | undefined,
): number | undefined => {
  const candidates =
    before === undefined
      ? [after === undefined ? 1 : Math.ceil(after) - 1]
      : after === undefined
        ? [Math.floor(before) + 1]
        : [Math.round((before + after) / 2), before + (after - before) / 2];
  const found = candidates.find(
    (order) =>
      Number.isFinite(order) &&
      (before === undefined || order > before) &&
      (after === undefined || order < after),
  );
  return found === undefined ? undefined : unsigned(found);
};

export interface Ordered<Id extends string = string> {
  id: Id;
  order: number;
}

/** A list of rows in a table, ascending by `order`; where legacy rows share one, the older first. */
export interface Siblings<Id extends string = string> {
  /** Up to two rows with this order: whether there is one, and whether it has company. */
  at: (order: number) => Promise<Ordered<Id>[]>;
  /** The next two above an order; without one, the first two. */
  above: (order: number | undefined) => Promise<Ordered<Id>[]>;
  last: () => Promise<Ordered<Id> | undefined>;
  all: () => Promise<Ordered<Id>[]>;
  setOrder: (id: Id, order: number) => Promise<void>;
}

const renumber = async <Id extends string>(
  siblings: Siblings<Id>,
  rows: readonly (Ordered<Id> | "place")[],
): Promise<number> => {
  let place = 0;
  for (const [index, row] of rows.entries()) {
    const order = index + 1;
    if (row === "place") place = order;
    else if (row.order !== order) await siblings.setOrder(row.id, order);
  }
  return place;
};

/**
 * The order of a row that is to stand right after another. The caller writes it; where the gap is
 * used up, the others have been renumbered.
 * @param after   null: it is to be the first
 * @param moving  the row itself, where it is in this list already
 */
export const orderAfter = async <Id extends string>(
  siblings: Siblings<Id>,
  after: Ordered<Id> | null,
  moving?: Ordered<Id>,
): Promise<number> => {
  if (after && after.id === moving?.id) {
    throw refuse("invalid_request", "Nothing can be moved to after itself.");
  }
  const tied = after !== null && (await siblings.at(after.order)).length > 1;
  if (!tied) {
    const next = (await siblings.above(after?.order)).find(({ id }) => id !== moving?.id);
    const low = after?.order ?? -Infinity;
    const high = next?.order ?? Infinity;
    if (moving && moving.order > low && moving.order < high) return moving.order;
    const order = between(after?.order, next?.order);
    if (order !== undefined) return order;
  }
  const rows = (await siblings.all()).filter(({ id }) => id !== moving?.id);
  const at = after ? rows.findIndex(({ id }) => id === after.id) + 1 : 0;
  return renumber(siblings, [...rows.slice(0, at), "place", ...rows.slice(at)]);
};

/** The order of a new row at the end. */
export const orderLast = async <Id extends string>(siblings: Siblings<Id>): Promise<number> =>
  orderAfter(siblings, (await siblings.last()) ?? null);

/**
 * The order of a row for which the caller has chosen one; one that is taken means right after its
 * holder.
 * @throws {ConvexError} `invalid_request` for what is no number to order by
 */
export const orderAt = async <Id extends string>(
  siblings: Siblings<Id>,
  order: number,
  moving?: Ordered<Id>,
): Promise<number> => {
  if (!(Math.abs(order) <= MAX_CHOSEN_ORDER)) {
    throw refuse("invalid_request", `An order is a number up to ${MAX_CHOSEN_ORDER}.`);
  }
  const holder = (await siblings.at(unsigned(order))).findLast(({ id }) => id !== moving?.id);
  return holder ? orderAfter(siblings, holder, moving) : unsigned(order);
};

/**
 * Puts a whole list in a given order.
 * @throws {ConvexError} `conflict` unless every row is named once, as when one came meanwhile
 */
export const reorder = async <Id extends string>(
  siblings: Siblings<Id>,
  ids: readonly Id[],
): Promise<void> => {
  const rows = new Map((await siblings.all()).map((row) => [row.id, row]));
  const named = new Set(ids);
  const missing = [...rows.keys()].filter((id) => !named.has(id));
  const unknown = [...named].filter((id) => !rows.has(id));
  if (missing.length > 0 || unknown.length > 0 || named.size !== ids.length) {
    throw refuse("conflict", "The list must name everything that is there now, once.", {
      missing,
      unknown,
    });
  }
  await renumber(
    siblings,
    ids.flatMap((id) => rows.get(id) ?? []),
  );
};

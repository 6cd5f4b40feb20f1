import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Ordered, type Siblings, between, orderAfter, orderAt, orderLast } from "./order.ts";

describe("a number between", () => {
  it.each([
    [undefined, undefined, 1],
    [undefined, 1, 0],
    [undefined, 0.5, 0],
    [1, undefined, 2],
    [1.5, undefined, 2],
    [1, 2, 1.5],
    [1, 4, 3],
    [-1, 0.5, 0],
    [0.25, 0.5, 0.375],
    [1, 1, undefined],
    [1, 1 + Number.EPSILON, undefined],
    [2 ** 53, undefined, undefined],
    [undefined, -(2 ** 53), undefined],
    [Infinity, undefined, undefined],
    [0, Infinity, undefined],
    [Number.NaN, 1, undefined],
  ])("%s and %s is %s", (before, after, expected) => {
    // Not minus zero, which is another value to an index.
    expect(Object.is(between(before, after), expected)).toBe(true);
  });
});

/** A table's rows in memory, in the order of its index. */
const listOf = (orders: readonly number[]) => {
  const rows = orders.map((order, index) => ({ id: `r${index}`, order }));
  let writes = 0;
  const sorted = () =>
    rows.toSorted((a, b) => a.order - b.order || rows.indexOf(a) - rows.indexOf(b));
  const siblings: Siblings = {
    at: async (order) =>
      sorted()
        .filter((row) => row.order === order)
        .slice(0, 2),
    above: async (order) =>
      sorted()
        .filter((row) => order === undefined || row.order > order)
        .slice(0, 2),
    last: async () => sorted().at(-1),
    all: async () => sorted(),
    setOrder: async (id, order) => {
      const row = rows.find((each) => each.id === id);
      if (row) row.order = order;
      writes += 1;
    },
  };
  return {
    siblings,
    ids: () => sorted().map(({ id }) => id),
    orders: () => rows.map(({ order }) => order),
    rowOf: (id: string): Ordered => {
      const row = rows.find((each) => each.id === id);
      if (!row) throw new Error(id);
      return { ...row };
    },
    add: (order: number) => {
      const id = `r${rows.length}`;
      rows.push({ id, order });
      return id;
    },
    writes: () => writes,
  };
};

/** What a list is after one of its ids was put after another. */
const movedIds = (ids: readonly string[], id: string, afterId: string | null): string[] => {
  const rest = ids.filter((each) => each !== id);
  const at = afterId === null ? 0 : rest.indexOf(afterId) + 1;
  return [...rest.slice(0, at), id, ...rest.slice(at)];
};

const anyOrder = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true }),
  fc.constantFrom(1, 1 + Number.EPSILON, 2 ** 53, 1e308, -1e308),
);

describe("a list", () => {
  it("is as asked after any moves, from any orders there may be, with one of each number", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyOrder, { minLength: 2, maxLength: 8 }),
        fc.array(fc.tuple(fc.nat(), fc.option(fc.nat())), { minLength: 1, maxLength: 80 }),
        async (orders, moves) => {
          const list = listOf(orders);
          const wasUnique = new Set(orders).size === orders.length;
          for (const [from, to] of moves) {
            const ids = list.ids();
            const id = ids[from % ids.length] as string;
            const rest = ids.filter((each) => each !== id);
            const afterId = to === null ? null : (rest[to % rest.length] as string);
            const order = await orderAfter(
              list.siblings,
              afterId === null ? null : list.rowOf(afterId),
              list.rowOf(id),
            );
            await list.siblings.setOrder(id, order);
            expect(list.ids()).toEqual(movedIds(ids, id, afterId));
          }
          if (wasUnique) expect(new Set(list.orders()).size).toBe(orders.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("takes chosen orders, a taken one right after its holder", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(fc.integer({ min: 1, max: 5 }), fc.double({ min: 0, max: 2, noNaN: true })),
        ),
        async (chosen) => {
          const list = listOf([]);
          for (const order of chosen) {
            const ids = list.ids();
            const holder = ids.find((id) => list.rowOf(id).order === order);
            const before = ids.filter((id) => list.rowOf(id).order < order).at(-1) ?? null;
            const id = list.add(await orderAt(list.siblings, order));
            expect(list.ids()).toEqual(movedIds(ids, id, holder ?? before));
          }
          expect(new Set(list.orders()).size).toBe(chosen.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("is renumbered only when a gap is used up", async () => {
    const list = listOf([1, 2, 3]);
    let moves = 0;
    for (; list.writes() === moves; moves += 1) {
      const [first, , third] = list.ids() as [string, string, string];
      const order = await orderAfter(list.siblings, list.rowOf(first), list.rowOf(third));
      await list.siblings.setOrder(third, order);
    }
    // The last move wrote the other rows as well; those before it, one each.
    expect(moves).toBeGreaterThan(50);
    expect(list.orders().toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  it("grows at its end by whole numbers", async () => {
    const list = listOf([1, 2.5]);
    expect(await orderLast(list.siblings)).toBe(3);
    expect(await orderLast(listOf([]).siblings)).toBe(1);
  });

  it.each([Number.NaN, Infinity, -1e10])("has no row at %s", async (order) => {
    await expect(orderAt(listOf([]).siblings, order)).rejects.toMatchObject({
      data: { code: "invalid_request" },
    });
  });

  it("puts nothing after itself", async () => {
    const list = listOf([1]);
    await expect(
      orderAfter(list.siblings, list.rowOf("r0"), list.rowOf("r0")),
    ).rejects.toMatchObject({ data: { code: "invalid_request" } });
  });
});

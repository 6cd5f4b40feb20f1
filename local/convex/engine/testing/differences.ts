// Where the engine does otherwise than convex-test, which it is compared with, and why: in each, convex-test
// is not what Convex is. Programs keep out of their way (`generate.ts`), and only of theirs.
import { makeFunctionReference } from "convex/server";
import { ConvexError, type Value } from "convex/values";
import { type Backend, type Page, wait } from "./play.ts";
import type { Step } from "./program.ts";
import { JOBS, change, look } from "./steps.ts";

export interface Difference {
  what: string;
  why: string;
  /** What each answers; a failure is `failed`. */
  show(t: Backend): Promise<unknown>;
  theirs: unknown;
  ours: unknown;
}

// oxlint-disable-next-line no-explicit-any -- there is no data model for it
type Builder = any;

const FAILED = "failed";
const attempt = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await work();
  } catch {
    return FAILED;
  }
};
const page = makeFunctionReference<"query">("steps:page");
const everyone = { table: "people", index: null, range: [], order: null, filter: null };
const inOrder = (names: string[]) => (t: Backend) =>
  t.run(async ({ db }) => {
    for (const name of names) await db.insert("people", { name });
  });
const namesOf = (rows: Value[]): Value[] => rows.map((row) => (row as { name: string }).name);
const fresh = async (t: Backend, steps: Step[]): Promise<unknown> =>
  await t.mutation(change, { ids: {}, steps });
const item = { name: "ada", size: 0 };

export const DIFFERENCES: readonly Difference[] = [
  {
    what: "a literal of 64 bits",
    why: "is good for that number; convex-test compares the number with how it is written down",
    show: (t) =>
      attempt(async () => (await t.run(({ db }) => db.insert("shapes", { kind: 2n })), "ok")),
    theirs: FAILED,
    ours: "ok",
  },
  {
    what: "an int64 in the data of an error that a nested call throws",
    why: "arrives; convex-test fails to read it, and with it goes all of the data",
    async show(t) {
      const steps = [{ kind: "throw", data: 1n, isCaught: false }];
      const outer = [{ kind: "call", call: { how: "query", steps }, isCaught: false }];
      return await t
        .query(look, { ids: {}, steps: outer })
        .catch((error: unknown) => (error instanceof ConvexError ? error.data : FAILED));
    },
    theirs: FAILED,
    ours: 1n,
  },
  {
    what: "a nested mutation whose return value is refused",
    why: "has failed, and leaves nothing; convex-test commits it before it looks",
    async show(t) {
      const args = { name: "ada", count: 1n, tags: [], mode: 7 };
      const typed = { args, give: null, writes: true };
      await fresh(t, [{ kind: "typed", typed, isCaught: true }]);
      return await t.run(async ({ db }) => (await db.query("people").collect()).length);
    },
    theirs: 1,
    ours: 0,
  },
  {
    what: "a record",
    why: "has keys and values of its types; convex-test looks at neither",
    show: (t) =>
      attempt(async () => {
        await t.run(({ db }) => db.insert("people", { name: "ada", marks: { x: "text" } }));
        return "ok";
      }),
    theirs: "ok",
    ours: FAILED,
  },
  {
    what: "a patch that takes away a field which the table's validator does not have",
    why: "changes nothing; convex-test finds the field, with no value, and refuses it",
    show: (t) =>
      attempt(async () => {
        await t.run(async ({ db }) =>
          db.patch(await db.insert("items", item), { unheard: undefined }),
        );
        return "ok";
      }),
    theirs: FAILED,
    ours: "ok",
  },
  {
    what: "gt and lt in a filter",
    why: "go by Convex's order of all values, as in an index; convex-test uses JavaScript's",
    show: (t) =>
      t.run(async ({ db }) => {
        await db.insert("items", { ...item, rank: "a" });
        return (
          await db
            .query("items")
            .filter((q: Builder) => q.gt(q.field("rank"), 1n))
            .collect()
        ).length;
      }),
    theirs: 0,
    ours: 1,
  },
  {
    what: "a page up to a document that is gone",
    why: "ends where that document was, and is not the last; convex-test says that it is",
    async show(t) {
      await inOrder(["a", "b", "c"])(t);
      const args = { ids: {}, query: everyone };
      const first = (await t.query(page, {
        ...args,
        paginationOpts: { cursor: null, numItems: 2 },
      })) as Page;
      await t.run(({ db }) => db.delete((first.page[1] as { _id: string })._id));
      const again = (await t.query(page, {
        ...args,
        paginationOpts: { cursor: null, endCursor: first.continueCursor, numItems: 2 },
      })) as Page;
      return { names: namesOf(again.page), isDone: again.isDone };
    },
    theirs: { names: ["a"], isDone: true },
    ours: { names: ["a"], isDone: false },
  },
  {
    what: "a cursor of another query",
    why: "is refused: it says nothing about this one; convex-test takes it",
    show: (t) =>
      attempt(async () => {
        await inOrder(["a", "b"])(t);
        const ask = async (query: object, cursor: string | null) =>
          (await t.query(page, {
            ids: {},
            query,
            paginationOpts: { cursor, numItems: 1 },
          })) as Page;
        const { continueCursor } = await ask(everyone, null);
        const filter = { kind: "remainder", divisor: 1, of: 0 };
        return namesOf((await ask({ ...everyone, table: "items", filter }, continueCursor)).page);
      }),
    theirs: [],
    ours: FAILED,
  },
  {
    what: "a get of what is no ID at all",
    why: "fails; convex-test finds nothing, where the table is not named",
    show: (t) => attempt(() => t.run(({ db }) => db.get("nothing"))),
    theirs: null,
    ours: FAILED,
  },
  {
    what: "the order of IDs",
    why: "is nobody's promise; convex-test counts them up, so that they sort as they were made",
    show: (t) =>
      t.run(async ({ db }) => {
        const made: string[] = [];
        for (let i = 0; i < 30; i++) made.push(await db.insert("people", { name: "ada" }));
        return made.every((id, i) => i === 0 || made[i - 1]! < id);
      }),
    theirs: true,
    ours: false,
  },
  {
    what: "a write beside a nested mutation that fails",
    why: "stays: calls go one after another, a nested one as a whole; in convex-test the write falls into the nested one",
    show: (t) =>
      t.run(async ({ db, runMutation }) => {
        const look: Step = { kind: "whoAmI", isCaught: false };
        const fields = { name: { kind: "value", value: "nested" } };
        const steps = [
          { kind: "insert", table: "people", fields, isCaught: false },
          ...Array.from({ length: 99 }, () => look),
          { kind: "throw", data: null, isCaught: false },
        ];
        const failing = runMutation(change, { ids: {}, steps }).catch(() => undefined);
        // Until it is in the middle of it, where that can be seen.
        for (let turn = 0; turn < 30; turn++)
          if ((await db.query("people").collect()).length > 0) break;
        await db.insert("people", { name: "beside" });
        await failing;
        return (await db.query("people").collect()).length;
      }),
    theirs: 0,
    ours: 1,
  },
  {
    what: "a scheduled function that is cancelled when it has run",
    why: "has run; convex-test writes that it was cancelled",
    async show(t) {
      await fresh(t, [{ kind: "schedule", afterMs: 0, steps: [], isCaught: false }]);
      await wait(t, 1);
      return await t.run(async ({ db, scheduler }) => {
        const [job] = (await db.system.query(JOBS).collect()) as { _id: string }[];
        await scheduler.cancel(job!._id);
        return ((await db.system.get(job!._id)) as { state: unknown }).state;
      });
    },
    theirs: { kind: "canceled" },
    ours: { kind: "success" },
  },
  {
    what: "a search",
    why: "takes its last word as the beginning of one, too; convex-test every word",
    async show(t) {
      await inOrder(["ada", "bob"])(t);
      return await t.run(async ({ db }) =>
        namesOf(
          await db
            .query("people")
            .withSearchIndex("search_name", (q: Builder) => q.search("name", "ad bo"))
            .collect(),
        ),
      );
    },
    theirs: ["ada", "bob"],
    ours: ["bob"],
  },
];

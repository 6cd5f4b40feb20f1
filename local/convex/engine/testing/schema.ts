// Tables for programs that are run on the engine and on convex-test: values of every kind, indexes over
// one field and several, over a nested field and over fields that may hold anything.
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

/** Everything that a value can be, said in one union. */
const anything = v.union(
  v.null(),
  v.int64(),
  v.number(),
  v.boolean(),
  v.string(),
  v.bytes(),
  v.array(v.any()),
  v.object({ a: v.optional(v.any()), b: v.optional(v.any()) }),
);

export default defineSchema(
  {
    items: defineTable({
      name: v.string(),
      size: v.number(),
      rank: v.optional(v.any()),
      mixed: v.optional(anything),
      nested: v.optional(v.object({ inner: v.optional(anything), other: v.optional(v.number()) })),
      person: v.optional(v.id("people")),
    })
      .index("by_rank", ["rank"])
      .index("by_mixed", ["mixed"])
      .index("by_inner", ["nested.inner"])
      .index("by_person", ["person"])
      .index("by_name_and_rank", ["name", "rank"])
      .index("by_name_and_size_and_mixed", ["name", "size", "mixed"]),
    people: defineTable({
      name: v.string(),
      marks: v.optional(v.record(v.string(), v.number())),
    })
      .index("by_name", ["name"])
      .searchIndex("search_name", { searchField: "name" }),
    shapes: defineTable(
      v.union(
        v.object({ kind: v.literal("circle"), radius: v.number() }),
        v.object({
          kind: v.literal("text"),
          lines: v.array(v.string()),
          at: v.optional(v.int64()),
        }),
        v.object({ kind: v.literal(7), data: v.bytes() }),
        v.object({ kind: v.literal(2n) }),
      ),
    ).index("by_kind_and_radius", ["kind", "radius"]),
    loose: defineTable(v.any()).index("by_rank_and_name", ["rank", "name"]),
  },
  { strictTableNameTypes: false },
);

/** Fields of each index, before those that every index ends in. */
export const INDEXES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  items: {
    by_rank: ["rank"],
    by_mixed: ["mixed"],
    by_inner: ["nested.inner"],
    by_person: ["person"],
    by_name_and_rank: ["name", "rank"],
    by_name_and_size_and_mixed: ["name", "size", "mixed"],
  },
  people: { by_name: ["name"] },
  shapes: { by_kind_and_radius: ["kind", "radius"] },
  loose: { by_rank_and_name: ["rank", "name"] },
  undeclared: {},
};

/** Of the component that is mounted as `tally`, and of the one that it mounts as `log`. */
export const tallySchema = defineSchema({
  counts: defineTable({ key: v.string(), count: v.number() }).index("by_key", ["key"]),
});
export const logSchema = defineSchema({
  lines: defineTable({ text: v.string(), by: v.number() }).index("by_by", ["by"]),
});

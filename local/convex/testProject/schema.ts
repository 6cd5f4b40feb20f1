// A small project for the tests of the local Convex.
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  counters: defineTable({ name: v.string(), value: v.number() }).index("by_name", ["name"]),
  notes: defineTable({ text: v.string() }),
  rows: defineTable({ list: v.string(), rank: v.number(), text: v.string() })
    .index("by_list_and_rank", ["list", "rank"])
    .searchIndex("search_text", { searchField: "text", filterFields: ["list"] }),
});

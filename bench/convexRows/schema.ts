// One table of as many rows as the benchmark likes, ten to a group.
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

export default defineSchema({
  rows: defineTable({ group: v.number(), rank: v.number(), text: v.string() }).index(
    "by_group_and_rank",
    ["group", "rank"],
  ),
});

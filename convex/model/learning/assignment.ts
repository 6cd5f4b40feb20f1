// What an assignment is, as an item of a course keeps it in `assignmentData`. Nothing in it is secret.
import { z } from "zod";
import { checked, plainText } from "./checked.ts";
import { DEFAULT_PASS_PERCENTAGE } from "./quiz.ts";

/** What a learner may hand in. */
export const SUBMISSION_KINDS = ["text", "url"] as const;

/**
 * An assignment: `{ title?, instructions, maxPoints (default 100), passPercentage (default 70),
 * accepts (default ["text", "url"]: either or both) }`. Texts are plain text, not HTML.
 */
export const Assignment = z.strictObject({
  title: plainText(200).optional(),
  instructions: plainText(20_000),
  maxPoints: z.number().positive().max(10_000).default(100),
  passPercentage: z.number().min(0).max(100).default(DEFAULT_PASS_PERCENTAGE),
  accepts: z
    .array(z.enum(SUBMISSION_KINDS))
    .min(1, "must name what may be handed in")
    .max(SUBMISSION_KINDS.length)
    .default([...SUBMISSION_KINDS]),
});
export type Assignment = z.infer<typeof Assignment>;

/**
 * An assignment as an author hands it in, with its defaults.
 * @throws {ConvexError} `invalid_request` with every problem
 */
export const checkAssignment = (assignmentData: unknown): Assignment =>
  checked(Assignment, assignmentData, "The assignment");

// How far learners are.
import { v } from "convex/values";
import { backendMutation } from "./functions.ts";
import { forgetStep, forgotten } from "./model/learning/forget.ts";

/** One step of deleting what learners did with something that is gone. */
export const forget = backendMutation({
  args: { what: forgotten },
  returns: v.null(),
  handler: async (ctx, { what }) => {
    await forgetStep(ctx, what);
    return null;
  },
});

// What the local cloud does first in a folder that was used before: nobody of the last time is left, so
// its tasks need not wait until their leases run out.
import { callInternal } from "./internalMutation.ts";

/**
 * @param convexUrl of our own Convex: at a deployment others may be at work
 * @returns how many tasks were cut off, and are due again
 */
export const releaseLeases = async (convexUrl: string, adminKey: string): Promise<number> =>
  (await callInternal(convexUrl, adminKey, "ledger:releaseAll", {})) as number;

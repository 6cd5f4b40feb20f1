// What the local cloud does first in a folder that was used before: nobody of the last time is left, so
// its tasks need not wait until their leases run out.

/**
 * Calls the internal function, as `npx convex run` does with a deploy key.
 * @param convexUrl of our own Convex: at a deployment others may be at work
 * @returns how many tasks were cut off, and are due again
 */
export const releaseLeases = async (convexUrl: string, adminKey: string): Promise<number> => {
  const response = await fetch(`${convexUrl}/api/mutation`, {
    method: "POST",
    headers: { Authorization: `Convex ${adminKey}` },
    body: JSON.stringify({ path: "ledger:releaseAll", args: [{}] }),
  });
  if (!response.ok) throw new Error(`Leases were not given back: ${await response.text()}`);
  return ((await response.json()) as { value: number }).value;
};

// Calls internal functions of our own Convex, as `npx convex run` does with a deploy key: what the local
// cloud alone may do, and no client of it.

/**
 * @param adminKey  of the Convex at `convexUrl`
 * @param path  of the mutation, as `ledger:releaseAll`
 * @returns what it returned
 * @throws {Error} where it is refused or fails
 */
export const callInternal = async (
  convexUrl: string,
  adminKey: string,
  path: string,
  args: object,
): Promise<unknown> => {
  const response = await fetch(`${convexUrl}/api/mutation`, {
    method: "POST",
    headers: { Authorization: `Convex ${adminKey}` },
    body: JSON.stringify({ path, args: [args] }),
  });
  if (!response.ok) throw new Error(`Convex refused ${path}: ${await response.text()}`);
  return ((await response.json()) as { value: unknown }).value;
};

// The key with which the owner of the machine uses the local service. It is issued by the same
// function of Convex as everybody's and kept in the data folder, so that it stays the same: where
// Convex has forgotten it, it is registered again.
import { createHash } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { z } from "zod";
import { api } from "#convex/_generated/api.js";
import { readKept } from "../keptFile.ts";
import { LOCAL_PERSON, localOwnerId } from "../people.ts";

/** Whose jobs those of the command line are. */
const LOCAL_OWNER = localOwnerId(LOCAL_PERSON);

const Kept = z.object({ key: z.string(), prefix: z.string() });
type Kept = z.infer<typeof Kept>;

export interface ApiKeyOptions {
  dataDir: string;
  convexUrl: string;
  /** A token of the pipeline's identity. */
  token: string;
  /** Of our own Convex; a real deployment forgets nothing. */
  adminKey: string | undefined;
}

export const loadApiKey = async (options: ApiKeyOptions): Promise<string> => {
  const { dataDir, convexUrl, token, adminKey } = options;
  const client = new ConvexHttpClient(convexUrl, {
    logger: false,
    skipConvexDeploymentUrlCheck: true,
    auth: token,
  });
  const path = join(dataDir, "api-key.json");
  const kept = await readKept(path, Kept);
  if (kept) {
    const hash = createHash("sha256").update(kept.key).digest("hex");
    const known = await client.mutation(api.apiKeys.verify, { hash });
    if (known?.ownerId === LOCAL_OWNER) return kept.key;
    if (adminKey !== undefined) {
      await register(convexUrl, adminKey, { hash, prefix: kept.prefix });
      return kept.key;
    }
  }
  const issued = await client.action(api.apiKeys.issue, {
    ownerId: LOCAL_OWNER,
    name: "this machine",
  });
  const { key, prefix } = issued;
  await writeFile(`${path}.new`, JSON.stringify({ key, prefix } satisfies Kept), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return key;
};

/** Calls the internal function, as `npx convex run` does with a deploy key. */
const register = async (
  convexUrl: string,
  adminKey: string,
  key: { hash: string; prefix: string },
): Promise<void> => {
  const response = await fetch(`${convexUrl}/api/mutation`, {
    method: "POST",
    headers: { Authorization: `Convex ${adminKey}` },
    body: JSON.stringify({
      path: "apiKeys:store",
      args: [{ ...key, ownerId: LOCAL_OWNER, name: "this machine" }],
    }),
  });
  if (!response.ok) throw new Error(`The API key was not registered: ${await response.text()}`);
};

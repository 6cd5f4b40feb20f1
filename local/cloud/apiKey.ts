// The key with which the owner of the machine uses the local service. It is issued by the same
// function of Convex as everybody's and kept in the data folder, so that it stays the same: where
// Convex has forgotten it, it is registered again.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { ConvexHttpClient } from "convex/browser";
import { z } from "zod";
import { api } from "#convex/_generated/api.js";
import { readKept, writeKept } from "../keptFile.ts";
import { LOCAL_PERSON, localOwnerId } from "../people.ts";
import { callInternal } from "./internalMutation.ts";

/** Whose jobs those of the command line are. */
const LOCAL_OWNER = localOwnerId(LOCAL_PERSON);

/** By which its owner knows it among others. */
const KEY_NAME = "this machine";

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

/** The key of this folder, issued where there is none yet, and known to Convex when it returns. */
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
      const key = { hash, prefix: kept.prefix, ownerId: LOCAL_OWNER, name: KEY_NAME };
      await callInternal(convexUrl, adminKey, "apiKeys:store", key);
      return kept.key;
    }
  }
  const issued = await client.action(api.apiKeys.issue, { ownerId: LOCAL_OWNER, name: KEY_NAME });
  const { key, prefix } = issued;
  await writeKept(path, { key, prefix } satisfies Kept);
  return key;
};

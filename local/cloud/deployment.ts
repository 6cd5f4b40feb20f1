// The Convex deployment that functions and people use: our own, over the data folder, or the one that the
// environment names.
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type Census, takeCensus } from "../convex/census.ts";
import { type ConvexThread, startConvexThread } from "../convex/thread.ts";
import type { LocalAccount } from "../metadata/server.ts";
import { type Env, convexEnvironment, givenDeployment } from "./environment.ts";
import { callInternal } from "./internalMutation.ts";

export interface DeploymentOptions {
  /** Of the whole cloud. */
  dataDir: string;
  /** Names the deployment, or the runtime of our own, and has what its functions are set up with. */
  env: Env;
  /** Of the services' ID tokens, and what they are for. */
  issuer: string;
  audience: string;
  /** Accounts whose tokens are the pipeline's. */
  services: readonly LocalAccount[];
  /** Of our own. */
  port: number;
  /** Folder of our own's functions; default the project's. */
  folder?: string | undefined;
  /** As `startConvexThread` has it. */
  isWhole?: boolean | undefined;
}

/** What only our own has. */
export interface OwnDeployment {
  adminKey: string;
  /** What was in the folder; undefined where it is new. */
  found: Census | undefined;
  /** How many tasks were cut off when it ended last, and are due again. */
  cutOff: number;
  reload: ConvexThread["reload"];
}

export interface Deployment {
  url: string;
  own: OwnDeployment | undefined;
  close(): Promise<void>;
}

/**
 * Leases of the last time are given back when it returns: what was cut off is then run, and not taken for
 * somebody's work.
 * @throws {Error} where our own cannot be started, or does not give the leases back
 */
export const openDeployment = async (options: DeploymentOptions): Promise<Deployment> => {
  const { dataDir, env, port } = options;
  const given = givenDeployment(env);
  if (given !== undefined) return { url: given, own: undefined, close: async () => undefined };
  const found = takeCensus(dataDir);
  const adminKey = randomBytes(32).toString("hex");
  const convex = await startConvexThread({
    folder: options.folder ?? fileURLToPath(new URL("../../convex", import.meta.url)),
    env: convexEnvironment(env, options.issuer, options.audience, options.services),
    adminKey,
    dataDir,
    port,
    ...(env["CONVEX_RUNTIME"] === "convex-test" ? { runtime: "convex-test" } : {}),
    ...(options.isWhole ? { isWhole: true } : {}),
  });
  try {
    // Nobody of the last time is left, so its tasks need not wait until their leases run out.
    const cutOff = (await callInternal(convex.url, adminKey, "ledger:releaseAll", {})) as number;
    const own = { adminKey, found, cutOff, reload: () => convex.reload() };
    return { url: convex.url, own, close: () => convex.close() };
  } catch (error) {
    await convex.close();
    throw error;
  }
};

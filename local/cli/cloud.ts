// The cloud that a command uses: the one that runs already, or one of its own for as long as it takes;
// and who its people are.
import type { Role } from "#convex/model/access.ts";
import { SERVICE_AUDIENCE } from "#shared/contract/identity.ts";
import { FolderInUse } from "../cloud/lock.ts";
import { loadPeople } from "../people.ts";
import { type Running, findRunningCloud } from "../running.ts";

/** The cloud of a data folder that runs already. @throws {Error} where none does */
export const runningCloud = async (dataDir: string): Promise<Running> => {
  const running = await findRunningCloud(dataDir);
  if (running) return running;
  throw new Error(
    `Nothing runs on ${dataDir}: start it with npm start in another terminal, or name its folder with --data, or a deployment with --url.`,
  );
};

export interface UsedCloud extends Running, AsyncDisposable {
  /** Whether it ends with this command, and with it what goes on after a job. */
  isOwn: boolean;
}

export const useCloud = async (dataDir: string): Promise<UsedCloud> => {
  const running = await findRunningCloud(dataDir);
  if (running) {
    // Its settings are those it was started with, not this command's.
    process.stderr.write(`Using the service at ${running.origin}.\n`);
    return { ...running, isOwn: false, [Symbol.asyncDispose]: async () => undefined };
  }
  // Most of the program; whoever only asks for help, or has a cloud running, need not wait for it.
  const { startCloud } = await import("../cloud.ts");
  // Not announced: it ends with this command, and would take another's job along.
  const cloud = await startCloud({ dataDir, announced: false }).catch((error: unknown) => {
    if (!(error instanceof FolderInUse)) throw error;
    throw new Error(
      `${error.message} Keep the service up with npm start, which serves several at once, or name another folder with --data.`,
      { cause: error.cause },
    );
  });
  const { origin, apiKey, convexUrl, storageOrigin, bucket } = cloud;
  return {
    origin,
    apiKey,
    convexUrl,
    storageOrigin,
    bucket,
    isOwn: true,
    [Symbol.asyncDispose]: () => cloud.close(),
  };
};

/**
 * A token of a person of the local cloud, for the audience that the environment sets there.
 * @param person  `role` defaults to admin for `LOCAL_PERSON`, else learner
 */
export const personToken = async (
  dataDir: string,
  person: { name: string; role?: Role | undefined },
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> => {
  const people = await loadPeople(dataDir);
  return people.token({ ...person, audience: env["OIDC_AUDIENCE"] || SERVICE_AUDIENCE });
};

// What putting the image together without Docker needs of a machine, asked before it begins: it would end
// minutes later with a line of apt's or mount's.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { EnvHttpProxyAgent, request } from "undici";
import type { Image } from "./dockerfile.ts";
import { debianSources } from "./imageRoot.ts";

const run = promisify(execFile);
const TIMEOUT_MS = 15_000;

const runs = (program: string, ...args: string[]): Promise<boolean> =>
  run(program, args).then(
    () => true,
    () => false,
  );

/** As apt asks: directly, or by the proxy that the environment names. */
const answers = async (url: string, dispatcher: EnvHttpProxyAgent): Promise<boolean> => {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const { statusCode, body } = await request(url, { method: "HEAD", dispatcher, signal });
    await body.dump();
    return statusCode < 400;
  } catch {
    return false; // nothing is there, for whatever reason; its name is told
  }
};

const silentMirrors = async (release: string): Promise<string[]> => {
  const dispatcher = new EnvHttpProxyAgent();
  try {
    const silent: string[] = [];
    for (const source of debianSources(release)) {
      const [, mirror = "", suite] = source.split(" ");
      const url = `${mirror}/dists/${suite}/InRelease`;
      if (!(await answers(url, dispatcher))) silent.push(`${url} does not answer`);
    }
    return silent;
  } finally {
    await dispatcher.destroy();
  }
};

/** @returns what is missing, as parts of a sentence; empty where all is there */
export const missingForMounts = async (): Promise<string[]> => {
  if (process.platform !== "linux") return ["this is not Linux"];
  if (process.getuid?.() !== 0) return ["only root can do it"];
  return (await runs("unshare", "--mount", "true")) ? [] : ["root may not mount here"];
};

/** The same, for a root file system that is yet to be made. */
export const missingForRoot = async ({ debianRelease }: Image): Promise<string[]> => {
  const tool = (await runs("mmdebstrap", "--version")) ? [] : ["mmdebstrap is not there"];
  return [...tool, ...(await silentMirrors(debianRelease))];
};

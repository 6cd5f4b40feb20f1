// `deploy/smoke.sh`: makes a sample stream and a key, runs the one through the deployed service with the
// other, and leaves neither behind, however it ends.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { NotAsExpected, type Options, WrongUse, readOptions, runCommand } from "./commandLine.ts";
import { PIPELINE, addressOf } from "./firstSteps.ts";
import type { Command } from "./resource.ts";
import { type Target, runSample } from "./sampleRun.ts";
import { type Machine, machine, openSession } from "./session.ts";
import { CommandFailed, type Tools, commandLine } from "./tools.ts";

const HELP = `Usage: deploy/smoke.sh [--tag T] [--project P] [--region R]
       deploy/smoke.sh --submit URL --status URL

Hands a sample stream of two minutes to the deployed service and compares what comes back: every
output is there with its size and checksum, the highlights are those that the sample has, and the
links in the answer lead where they should.

  --tag T       at the addresses of this tag, where there are such. Only the functions that answer
                callers are met there: the stages are reached by their topics, so that the work is
                done by what has the traffic
  --submit URL, --status URL
                where the service answers, instead of asking Google Cloud; with KLIPSTREAM_API_KEY
  --sample DIR  what samples/generate.ts wrote, instead of making it
  --project P, --region R, --help

An API key is made with CONVEX_DEPLOY_KEY and deleted afterwards, or is KLIPSTREAM_API_KEY.

Exit status: 0 as it should be, 1 not, 2 wrong use.
`;

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);

/** The same at every run. @param use is given the folder, which is gone afterwards */
const withSample = async (
  signal: AbortSignal,
  print: (text: string) => void,
  use: (folder: string) => Promise<void>,
): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "smoke-"));
  try {
    print("Making the sample stream ...\n");
    const args = [join(ROOT, "samples/generate.ts"), "--seed", "1", "--out", folder];
    try {
      await run(process.execPath, args, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const convexRun = (name: string, args: object, ...flags: string[]): Command => ({
  tool: "convex",
  args: ["run", name, JSON.stringify(args), ...flags],
});

const Issued = z.object({ id: z.string(), key: z.string() });

/** What cannot be taken back is said: the service is as good or bad as it was found to be. */
const withdrawKey = async (
  id: string,
  tools: Tools,
  complain: (text: string) => void,
): Promise<void> => {
  const withdraw = convexRun("apiKeys:withdraw", { id });
  try {
    await tools.run(withdraw);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    complain(`The key is still there: ${error.message}\nTry ${commandLine(withdraw)}\n`);
  }
};

/**
 * A key of the pipeline's making, for an owner of its own, who sees nothing of others'; it is deleted
 * afterwards, whether the work was done, failed or was interrupted.
 */
const withKey = async (
  tools: Tools,
  complain: (text: string) => void,
  use: (key: string) => Promise<void>,
): Promise<void> => {
  const owner = { ownerId: `smoke-${new Date().toISOString()}`, name: "deploy/smoke.sh" };
  const issue = convexRun("apiKeys:issue", owner, "--identity", PIPELINE);
  const { id, key } = Issued.parse(JSON.parse(await tools.run(issue)));
  try {
    await use(key);
  } finally {
    await withdrawKey(id, tools, complain);
  }
};

interface Service {
  addresses: Omit<Target, "apiKey" | "signal">;
  lendKey(use: (key: string) => Promise<void>): Promise<void>;
}

const findService = async (options: Options, from: Machine): Promise<Service> => {
  const { submit, status, tag } = options.values;
  const given = from.env["KLIPSTREAM_API_KEY"];
  if (submit !== undefined && status !== undefined) {
    if (!given) throw new WrongUse("KLIPSTREAM_API_KEY is not set.");
    return { addresses: { submit, status, isTag: false }, lendKey: (use) => use(given) };
  }
  if (submit !== undefined || status !== undefined) {
    throw new WrongUse("--submit and --status go together.");
  }
  const session = await openSession(options, from, "make");
  return {
    addresses: {
      submit: await addressOf("submit", session, tag),
      status: await addressOf("status", session, tag),
      isTag: tag !== undefined,
    },
    lendKey: (use) => (given ? use(given) : withKey(session.tools, from.complain, use)),
  };
};

/** @param signal ends the run; what was made is taken away again */
export const smoke = (argv: string[], from: Machine, signal: AbortSignal): Promise<number> =>
  runCommand(
    HELP,
    async () => {
      const options = readOptions(argv, [], ["tag", "submit", "status", "sample"]);
      const { print } = from;
      if (options.help) return print(HELP);
      const { addresses, lendKey } = await findService(options, from);
      const runWith = (folder: string): Promise<void> =>
        lendKey((apiKey) => runSample({ ...addresses, apiKey, signal }, folder, print));
      const { sample } = options.values;
      await (sample === undefined ? withSample(signal, print, runWith) : runWith(sample));
    },
    from.complain,
  );

if (import.meta.main) {
  const stop = new AbortController();
  // Told twice, it ends at once.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => stop.abort(new NotAsExpected("it was interrupted.")));
  }
  process.exitCode = await smoke(process.argv.slice(2), machine(), stop.signal);
}

// Rounds at random moments, by a seed: first the job undisturbed, for its hashes and its length, then
// one round for each kill, uniformly over that length.
import { join } from "node:path";
import { generateSample } from "../../samples/generateSample.ts";
import { randomFrom } from "../../samples/random.ts";
import { KILLS } from "./cloud.ts";
import { type Round, type RoundOptions, runRound } from "./round.ts";

export interface Plan {
  rounds: number;
  seed: number;
  /** For the sample, and a folder for each round. */
  folder: string;
  /** Rounds at once; default 1. */
  parallel?: number;
  /** Added to the cloud's options. */
  cloud?: RoundOptions["cloud"];
  /** Hears of each round as it ends; the first, number 0, is undisturbed. */
  report(number: number, kill: RoundOptions["kill"], round: Round): void;
}

/** The job in a few seconds: the shortest sample, in two ranges. */
const SAMPLE_SEC = 30;
const RANGES = { RANGE_SEC: "15", CHAT_WINDOW_SEC: "15" };

/** @returns the sentences for what was wrong, each with its round */
export const runRounds = async (plan: Plan): Promise<string[]> => {
  const { rounds, seed, folder, parallel = 1, report } = plan;
  const outDir = join(folder, "sample");
  const sample = await generateSample({ seed: 1, durationSec: SAMPLE_SEC, outDir });
  const files = {
    video: sample.videoPath,
    chat: sample.chatPath,
    captions: sample.captionsPath,
  };
  const cloud = {
    announced: false,
    maxInstancesPerFunction: 1,
    ...plan.cloud,
    env: { ...RANGES, ...plan.cloud?.env },
  };
  const wrong: string[] = [];
  const settle = (number: number, kill: RoundOptions["kill"], round: Round): void => {
    report(number, kill, round);
    wrong.push(...round.wrong.map((sentence) => `round ${number}: ${sentence}`));
  };

  const undisturbed = await runRound({ folder: join(folder, "round-0"), files, cloud });
  settle(0, undefined, undisturbed);
  const { hashes, clientMs } = undisturbed;

  const random = randomFrom(seed);
  const kills = Array.from({ length: rounds }, (_, at) => ({
    number: at + 1,
    kill: {
      afterMs: random.int(0, clientMs),
      what: KILLS[random.chance(0.75) ? 0 : 1],
    },
  }));
  const waiting = kills.values();
  const work = async (): Promise<void> => {
    for (const { number, kill } of waiting) {
      const options = { folder: join(folder, `round-${number}`), files, cloud, kill, hashes };
      try {
        settle(number, kill, await runRound(options));
      } catch (error) {
        wrong.push(`round ${number}, killed after ${kill.afterMs} ms: ${String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return wrong;
};

// A few rounds of `node tests/disturb.ts`: the whole local cloud is killed in the middle of a job, and
// nothing that a client was told is lost. The moments are of this seed; another is another test.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { runRounds } from "../kill/rounds.ts";

it("killed and started again, the cloud completes the job and has all that it told", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kill-"));
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 3 }));
  const told: Record<string, number> = {};
  const wrong = await runRounds({
    rounds: 3,
    seed: 3,
    folder,
    report: (_number, _kill, round) => {
      for (const [kind, count] of Object.entries(round.told)) {
        told[kind] = (told[kind] ?? 0) + count;
      }
    },
  });
  expect(wrong).toEqual([]);
  // A client that heard nothing would have nothing to complain of.
  for (const kind of ["made", "counted", "stored", "uploaded", "event", "job", "courses"]) {
    expect(told[kind], kind).toBeGreaterThan(10);
  }
});

// Called once a day: removes what nothing uses from the bucket. Where a call's time does not do,
// the next one goes on.
import { MIN_AGE_MS } from "#shared/assets/collect.ts";
import { isRemoval } from "#shared/assets/judge.ts";
import { takeTurn } from "#shared/assets/turn.ts";
import type { Runtime } from "./runtime.ts";
import type { Handler } from "./serve.ts";

/** Left of the request's time when a turn stops, to finish what it has begun. */
const RESERVE_MS = 60_000;

export const create =
  ({ collected, references, store, config, spec, shutdown, log }: Runtime): Handler =>
  async (_req, res) => {
    // In test mode nothing is recorded, so that everything would seem to be nobody's.
    const dryRun = config.convex.testMode;
    const timeUp = AbortSignal.timeout(spec.timeoutSec * 1000 - RESERVE_MS);
    const report = await takeTurn(
      { bucket: collected, references, store },
      {
        dryRun,
        minAgeMs: MIN_AGE_MS,
        now: Date.now(),
        signal: AbortSignal.any([shutdown, timeUp]),
        onItem: ({ verdict, key, sizeBytes }) => {
          if (verdict === "missing") log.error("object missing", { key });
          else if (isRemoval(verdict))
            log.info(dryRun ? "object to collect" : "object collected", {
              verdict,
              key,
              sizeBytes,
            });
        },
      },
    );
    const counts = Object.entries(report.found).map(([verdict, { count }]) => [verdict, count]);
    log.info("collected", { ...Object.fromEntries(counts), complete: report.stoppedAt === null });
    res.json(report);
  };

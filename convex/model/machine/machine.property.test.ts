// Whatever is delivered twice, late, or never, whoever dies or fails: what must always hold, does.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { STAGES, STAGE_SPECS, type Stage, isTerminal } from "#shared/contract/stages.ts";
import type { ErrorCode } from "#shared/contract/errors.ts";
import { isSettled } from "./hold.ts";
import { type Plan, World, policy, statusOrder } from "./world.setup.ts";

/** Somebody at work on a task, dead or alive. */
interface Worker {
  name: string;
  attempt: number;
  /** Retries of the job when it claimed. */
  run: number;
}

const CODES = [
  "internal",
  "source_failed",
  "stage_timeout",
  "resources_exhausted",
  "invalid_media",
  "speech_rejected",
] as const;

type Step =
  | {
      do: "deliver" | "handOver" | "begin" | "commit" | "kill" | "beat" | "release" | "deadLetter";
      which: number;
    }
  | { do: "fail"; which: number; code: ErrorCode }
  | { do: "wait"; ms: number }
  | { do: "sweep" | "cancel" }
  | { do: "retry"; from: Stage | undefined };

const which = fc.nat(1000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant("deliver" as const), which }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom("handOver" as const, "begin" as const), which }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("commit" as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("kill", "beat", "release"), which }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("fail" as const),
      which,
      code: fc.constantFrom(...CODES),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(1000, policy.leaseMs, policy.unclaimedMs, policy.handOverMs),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("sweep" as const) }) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({ do: fc.constant("cancel" as const) }),
      fc.record({ do: fc.constant("deadLetter" as const), which }),
      fc.record({
        do: fc.constant("retry" as const),
        from: fc.option(fc.constantFrom(...STAGES), { nil: undefined }),
      }),
    ),
  },
);

const plan: fc.Arbitrary<Plan> = fc
  .record({ media: fc.nat(3), chat: fc.nat(2), speech: fc.boolean(), clips: fc.nat(2) })
  .map(({ media, chat, speech, clips }) => ({
    media,
    chat,
    transcribe: speech ? media : 0,
    clips,
  }));

class Play {
  readonly world: World;
  readonly workers: Worker[] = [];
  /** Executions of Cloud Run jobs that were started; each may begin any number of times, or never. */
  readonly executions: Worker[] = [];
  /** Accepted commits, by job run and task. */
  readonly committed = new Set<string>();

  constructor(plan: Plan) {
    this.world = new World(plan);
  }

  pick<T>(list: readonly T[], which: number): T | undefined {
    return list[which % Math.max(1, list.length)];
  }

  /** @param mayHandOver whether to a function that can start a Cloud Run job */
  deliver(name: string, mayHandOver: boolean): void {
    const { world } = this;
    const before = world.tasks.get(name);
    const result = world.claim(name, { by: "function", mayHandOver });
    if (result.kind !== "run" && result.kind !== "hand_over") return;
    const leased = before?.state === "running" && (before.leaseUntil ?? 0) > world.now;
    if (leased) throw new Error(`${name} was claimed while somebody held it.`);
    const claimed = { name, attempt: result.attempt, run: world.job.retryCount };
    (result.kind === "run" ? this.workers : this.executions).push(claimed);
  }

  begin({ name, attempt, run }: Worker): void {
    const { world } = this;
    if (world.claim(name, { by: "job", attempt }).kind !== "run") return;
    if (run !== world.job.retryCount) throw new Error(`An execution of before began ${name}.`);
    const twice = this.workers.some((one) => one.name === name && one.attempt === attempt);
    if (twice) throw new Error(`Two executions have attempt ${attempt} of ${name}.`);
    this.workers.push({ name, attempt, run });
  }

  commit({ name, attempt, run }: Worker): void {
    const { world } = this;
    const before = world.tasks.get(name);
    if (world.commit(name, attempt).kind !== "committed") return;
    if (before?.attempt !== attempt || run !== world.job.retryCount) {
      throw new Error(`A zombie committed ${name}.`);
    }
    if (isSettled(before)) throw new Error(`${name} was settled twice.`);
    const key = `${world.job.retryCount} ${name}`;
    if (this.committed.has(key)) throw new Error(`${name} was committed twice in one run.`);
    this.committed.add(key);
  }

  take(step: Step): void {
    const { world, workers } = this;
    switch (step.do) {
      case "deliver": {
        const name = this.pick(world.published, step.which);
        if (name !== undefined) this.deliver(name, false);
        break;
      }
      case "handOver": {
        const name = this.pick(world.published, step.which);
        if (name !== undefined) this.deliver(name, true);
        break;
      }
      case "begin": {
        const execution = this.pick(this.executions, step.which);
        if (execution) this.begin(execution);
        break;
      }
      case "deadLetter": {
        const name = this.pick(world.published, step.which);
        if (name !== undefined) world.deadLetter(name);
        break;
      }
      case "kill":
        workers.splice(step.which % Math.max(1, workers.length), 1);
        break;
      case "commit":
      case "fail":
      case "beat":
      case "release": {
        const worker = this.pick(workers, step.which);
        if (!worker) break;
        // Whoever failed or committed stays in the list: what it says again must change nothing.
        if (step.do === "commit") this.commit(worker);
        if (step.do === "fail") world.fail(worker.name, worker.attempt, step.code);
        if (step.do === "beat") world.heartbeat(worker.name, worker.attempt, 0.5);
        if (step.do === "release") world.release(worker.name, worker.attempt);
        break;
      }
      case "wait":
        world.now += step.ms;
        break;
      case "sweep":
        world.sweep();
        break;
      case "cancel":
        world.cancel();
        break;
      case "retry":
        if (isTerminal(world.job.status)) world.retry(step.from);
        break;
    }
    this.check();
  }

  /** Holds after every step. */
  check(): void {
    const { job, tasks } = this.world;
    const demand = (holds: boolean, what: string): void => {
      if (!holds) throw new Error(what);
    };
    for (const stage of STAGES) {
      const settled = [...tasks.values()].filter((t) => t.stage === stage && isSettled(t));
      demand((job.finished[stage] ?? 0) === settled.length, `${stage} is counted wrong`);
    }
    for (const { stage, tries } of tasks.values()) {
      demand(tries <= STAGE_SPECS[stage].maxAttempts, `${stage} was tried ${tries} times`);
    }
    demand(isTerminal(job.status) === (job.admission === "ended"), "ended, but not so admitted");
  }

  /** Everything is delivered and nobody dies any more; @returns whether the job comes to its end */
  settle(): boolean {
    const { world } = this;
    for (let round = 0; round < 100; round += 1) {
      if (isTerminal(world.job.status)) return true;
      world.now += policy.unclaimedMs;
      const from = this.workers.length;
      for (const name of world.sweep()) this.deliver(name, true);
      for (const execution of this.executions) this.begin(execution);
      for (const worker of this.workers.slice(from)) this.commit(worker);
      this.check();
    }
    return false;
  }
}

describe("any sequence of deliveries, duplicates, deaths, failures, cancels and retries", () => {
  it("starts nothing twice, ends, and shows a status that only moves forward", () => {
    fc.assert(
      fc.property(plan, fc.array(step, { maxLength: 80 }), (plan, steps) => {
        const play = new Play(plan);
        for (const one of steps) play.take(one);
        expect(play.settle()).toBe(true);

        const { events, job } = play.world;
        expect(events.at(-1)).toMatchObject({ type: "status", status: job.status });
        let shown = -1;
        for (const event of events) {
          if (event.type === "retry") shown = -1;
          if (event.type !== "status") continue;
          expect(statusOrder(event.status)).toBeGreaterThan(shown);
          shown = statusOrder(event.status);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("without failures and cancels completes, whatever is lost or doubled", () => {
    const harmless = step.filter(({ do: what }) =>
      ["deliver", "handOver", "begin", "commit", "beat", "release", "sweep"].includes(what),
    );
    const feasible = plan.filter(({ media, chat }) => media + chat > 0);
    fc.assert(
      fc.property(feasible, fc.array(harmless, { maxLength: 80 }), (plan, steps) => {
        const play = new Play(plan);
        for (const one of steps) play.take(one);
        play.settle();
        expect(play.world.job.status).toBe("Completed");
        expect(play.world.job.warnings).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

// A ledger of one job in memory, for the machine's tests: applies what transitions say, as the
// mutations do, and checks on the way what must always hold.
import type { JobEvent, JobView } from "#shared/contract/ledger.ts";
import type { ErrorCode } from "#shared/contract/errors.ts";
import { STAGES, STATUSES, type Stage, type Status } from "#shared/contract/stages.ts";
import { type Claimer, claim, heartbeat, release } from "./claim.ts";
import { type CommitInput, commit } from "./commit.ts";
import { deadLetter, fail } from "./fail.ts";
import { heldBy } from "./hold.ts";
import { admit, cancel, create, retry } from "./lifecycle.ts";
import {
  type Admission,
  type Change,
  DEFAULT_POLICY,
  type JobState,
  type Task,
  type TaskRange,
} from "./state.ts";
import { sweep } from "./sweep.ts";

/** How many tasks each stage will have. */
export interface Plan {
  media: number;
  chat: number;
  transcribe: number;
  clips: number;
}

export const PLAN: Plan = { media: 2, chat: 1, transcribe: 2, clips: 2 };
export const policy = DEFAULT_POLICY;

export class World {
  job: JobState;
  now = 1_000_000;
  readonly tasks = new Map<string, Task>();
  readonly events: JobEvent[] = [];
  /** Every message ever published. */
  readonly published: string[] = [];
  readonly plan: Plan;

  constructor(plan: Plan = PLAN, admission: Admission = "running") {
    this.plan = plan;
    const change = create("job", admission, this.now, policy);
    this.job = change.job;
    this.apply(change);
  }

  task(name: string): Task {
    const task = this.tasks.get(name);
    if (!task) throw new Error(`There is no task ${name}.`);
    return task;
  }

  apply(change: Change): void {
    this.job = change.job;
    for (const task of change.tasks) this.tasks.set(`${task.stage} ${task.index}`, task);
    for (const task of change.added) {
      const name = `${task.stage} ${task.index}`;
      if (this.tasks.has(name)) throw new Error(`${name} was started twice.`);
      this.tasks.set(name, task);
    }
    for (const event of change.events) {
      if (event.seq !== this.events.length + 1)
        throw new Error(`Event ${event.seq} is out of turn.`);
      this.events.push(event);
    }
    this.publish(change.due);
  }

  publish(due: readonly TaskRange[]): void {
    for (const { stage, first, count } of due) {
      for (let i = 0; i < count; i += 1) this.published.push(`${stage} ${first + i}`);
    }
  }

  /** As a function that can start no Cloud Run job, where nothing else is said. */
  claim(name: string, claimer: Claimer = { by: "function", mayHandOver: false }) {
    const result = claim(this.job, this.tasks.get(name) ?? null, this.now, policy, claimer);
    if (result.kind === "run" || result.kind === "hand_over") this.apply(result.change);
    if (result.kind === "done" && result.change) this.apply(result.change);
    return result;
  }

  heartbeat(name: string, attempt: number, progress = 0): "ok" | "fenced" | "canceled" {
    const held = heldBy(this.job, this.tasks.get(name) ?? null, attempt);
    if (held.kind === "ok") {
      this.tasks.set(name, heartbeat(held.task, progress, this.now, policy));
    }
    return held.kind;
  }

  release(name: string, attempt: number): "released" | "fenced" {
    const held = heldBy(this.job, this.tasks.get(name) ?? null, attempt);
    if (held.kind !== "ok") return "fenced";
    this.tasks.set(name, release(held.task, this.now, policy));
    return "released";
  }

  /** What a stage of this plan commits. */
  result(name: string, attempt: number): CommitInput {
    const [stage] = name.split(" ");
    const { clips, ...ranges } = this.plan;
    const output = { key: name, summary: { attempt } };
    if (stage === "ingest") return { attempt, output, warnings: [], fanOut: ranges };
    if (stage === "highlights") return { attempt, output, warnings: [], fanOut: { clips } };
    return { attempt, output, warnings: [] };
  }

  commit(name: string, attempt: number, over: Partial<CommitInput> = {}) {
    const input = { ...this.result(name, attempt), ...over };
    const result = commit(this.job, this.tasks.get(name) ?? null, input, this.now, policy);
    if (result.kind === "committed") this.apply(result.change);
    return result;
  }

  fail(name: string, attempt: number, code: ErrorCode = "internal", retryAfterSec?: number) {
    const input = { attempt, code, message: `${code} happened`, retryAfterSec };
    const result = fail(this.job, this.tasks.get(name) ?? null, input, this.now, policy);
    if (result.kind !== "fenced" && result.kind !== "repeated") this.apply(result.change);
    return result;
  }

  deadLetter(name: string): boolean {
    const change = deadLetter(this.job, this.tasks.get(name) ?? null, this.now, policy);
    if (change) this.apply(change);
    return change !== null;
  }

  cancel(): boolean {
    const change = cancel(this.job, this.now, policy);
    if (change) this.apply(change);
    return change !== null;
  }

  admit(): void {
    const open = [...this.tasks.values()].filter(
      (t) => t.state !== "done" && t.state !== "degraded",
    );
    this.apply(admit(this.job, open, this.now, policy));
  }

  retry(from?: Stage, admission: Admission = "running"): boolean {
    const all = [...this.tasks.values()];
    const rollback = retry(this.job, all, from, admission, this.now, policy);
    if (!rollback) return false;
    for (const task of rollback.removed) this.tasks.delete(`${task.stage} ${task.index}`);
    this.apply(rollback.change);
    return true;
  }

  /** One round of sweep; @returns what it publishes */
  sweep(): string[] {
    const from = this.published.length;
    for (const [name, task] of this.tasks) {
      if (task.sweepAt === undefined || task.sweepAt > this.now) continue;
      const result = sweep(this.job, task, this.now, policy);
      if (result.kind === "exhausted") this.apply(result.change);
      else this.tasks.set(name, result.task);
      if (result.kind === "publish") this.published.push(name);
    }
    return this.published.slice(from);
  }

  /** Claims and commits; @returns the tasks that came due */
  run(name: string, over: Partial<CommitInput> = {}): string[] {
    const from = this.published.length;
    const claimed = this.claim(name);
    if (claimed.kind !== "run") throw new Error(`${name}: ${claimed.kind}`);
    const { kind } = this.commit(name, claimed.attempt, over);
    if (kind !== "committed") throw new Error(`${name}: ${kind}`);
    return this.published.slice(from);
  }

  /** Claims; @returns the attempt */
  start(name: string): number {
    const claimed = this.claim(name);
    if (claimed.kind !== "run") throw new Error(`${name}: ${claimed.kind}`);
    return claimed.attempt;
  }

  /** Claims as a function that can start a Cloud Run job; @returns the attempt it is handed */
  handOver(name: string): number {
    const claimed = this.claim(name, { by: "function", mayHandOver: true });
    if (claimed.kind !== "hand_over") throw new Error(`${name}: ${claimed.kind}`);
    return claimed.attempt;
  }

  /** Runs what is published until this task is due, or to the end without a name. */
  runUntil(name?: string): this {
    const published = [...new Set(this.published)];
    const queue = published.filter((n) => this.tasks.get(n)?.state === "due");
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (next === name) continue;
      queue.push(...this.run(next));
      if (name !== undefined && this.tasks.get(name)?.state === "due" && isLast(name, queue)) break;
    }
    return this;
  }

  statuses(): Status[] {
    return this.events.flatMap((event) => (event.type === "status" ? [event.status] : []));
  }

  error(): JobView["error"] {
    return this.events.findLast((event) => event.type === "error")?.error ?? null;
  }
}

/** Whether nothing of an earlier stage is left to run before the named task. */
const isLast = (name: string, queue: readonly string[]): boolean =>
  queue.every((other) => stageOrder(other) >= stageOrder(name));

const stageOrder = (name: string): number => STAGES.indexOf(name.split(" ")[0] as Stage);
export const statusOrder = (status: Status): number => STATUSES.indexOf(status);

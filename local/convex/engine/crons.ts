// What a `crons.ts` declares, and when it is next due: all in UTC. A run that was missed is made up for
// once, however many were missed, as Convex does.
import { createHash } from "node:crypto";
import { Cron } from "croner";
import type { JSONValue } from "convex/values";
import { canonicalPath } from "../runtime.ts";
import type { FunctionPath } from "./functions.ts";

const DAYS = [
  "sunday",
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
] as const;

/** As Convex's `cronJobs()` writes them down; a minute that is left out is chosen for the cron. */
export type CronSchedule =
  | { type: "interval"; seconds?: number; minutes?: number; hours?: number }
  | { type: "hourly"; minuteUTC?: number }
  | { type: "daily"; hourUTC: number; minuteUTC?: number }
  | { type: "weekly"; dayOfWeek: (typeof DAYS)[number]; hourUTC: number; minuteUTC?: number }
  | { type: "monthly"; day: number; hourUTC: number; minuteUTC?: number }
  | { type: "cron"; cron: string };

export interface DeclaredCron {
  /** Of its component's. */
  name: string;
  target: FunctionPath;
  /** JSON of a list with the one argument. */
  args: string;
  schedule: CronSchedule;
}

/** The same one each time, and others for other crons: not all that is hourly runs at once. */
const minuteOf = (name: string): number =>
  createHash("sha256").update(name).digest().readUInt32BE(0) % 60;

const patternOf = (name: string, schedule: Exclude<CronSchedule, { type: "interval" }>): string => {
  if (schedule.type === "cron") return schedule.cron;
  const minute = schedule.minuteUTC ?? minuteOf(name);
  switch (schedule.type) {
    case "hourly":
      return `${minute} * * * *`;
    case "daily":
      return `${minute} ${schedule.hourUTC} * * *`;
    case "weekly":
      return `${minute} ${schedule.hourUTC} * * ${DAYS.indexOf(schedule.dayOfWeek)}`;
    case "monthly":
      return `${minute} ${schedule.hourUTC} ${schedule.day} * *`;
  }
};

const intervalMs = ({ seconds = 0, minutes = 0, hours = 0 }): number =>
  ((hours * 60 + minutes) * 60 + seconds) * 1000;

/**
 * When a cron is due after now; times in milliseconds since 1970.
 * @param lastDueMs  when it was due last; undefined for one that is new, whose interval begins now
 * @throws {Error} for a cron string that is none, or that is never due
 */
export const nextDueMs = (
  { name, schedule }: Pick<DeclaredCron, "name" | "schedule">,
  nowMs: number,
  lastDueMs?: number,
): number => {
  if (schedule.type === "interval") {
    if (lastDueMs === undefined) return nowMs;
    const stepMs = intervalMs(schedule);
    return lastDueMs + stepMs * Math.max(1, Math.floor((nowMs - lastDueMs) / stepMs) + 1);
  }
  const pattern = patternOf(name, schedule);
  let next: Date | null;
  try {
    next = new Cron(pattern, { mode: "5-part", timezone: "UTC", paused: true }).nextRun(
      new Date(nowMs),
    );
  } catch (cause) {
    throw new Error(`The cron "${name}" is wrong: ${(cause as Error).message}`, { cause });
  }
  if (!next) throw new Error(`The cron "${name}" is never due: "${pattern}".`);
  return next.getTime();
};

interface ExportedCron {
  name: string;
  args: JSONValue[];
  schedule: CronSchedule;
}

/**
 * @param exports  of `crons.ts`
 * @throws {Error} where its default export is no `cronJobs()`, or a cron is wrong
 */
export const declaredCrons = (exports: unknown, component: string): DeclaredCron[] => {
  const { default: crons } = exports as {
    default?: { isCrons?: boolean; crons: Record<string, ExportedCron> };
  };
  if (crons?.isCrons !== true)
    throw new Error("convex/crons.ts has no `cronJobs()` as its default export.");
  return Object.entries(crons.crons).map(([name, { name: path, args, schedule }]) => {
    const cron: DeclaredCron = {
      name,
      target: { component, path: canonicalPath(path) },
      args: JSON.stringify([args[0] ?? {}]),
      schedule,
    };
    nextDueMs(cron, 0);
    return cron;
  });
};

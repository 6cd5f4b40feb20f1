// What a person sees of a running job: a bar for each stage on a terminal, a plain line for each
// change elsewhere. Standard error, so that standard output stays the result's.
import { z } from "zod";
import { STAGES, STATUSES, type Stage } from "#shared/contract/stages.ts";
import type { ServerEvent } from "./serverEvents.ts";

/** What comes from elsewhere draws nothing on the terminal but itself. */
const Printable = z.string().transform((text) => text.replace(/\p{Cc}+/gu, " "));
const StageState = z.object({ done: z.int(), total: z.int(), fraction: z.number() });

const Data = z.discriminatedUnion("type", [
  z.object({ type: z.literal("status"), status: z.enum(STATUSES) }),
  z.object({
    type: z.literal("progress"),
    progress_percentage: z.number(),
    estimated_completion_seconds: z.number().nullable(),
    stage_progress: z.partialRecord(z.enum(STAGES), StageState),
  }),
  z.object({
    type: z.literal("stage"),
    stage: z.enum(STAGES),
    state: z.enum(["started", "finished"]),
    done: z.int(),
    total: z.int(),
  }),
  z.object({
    type: z.literal("warning"),
    warning: z.object({ code: z.string(), message: Printable }),
  }),
  z.object({
    type: z.literal("error"),
    error: z.object({ code: z.string(), message: z.string() }),
  }),
  z.object({ type: z.literal("retry"), stage: z.enum(STAGES) }),
]);
type Data = z.infer<typeof Data>;

export const parseEvent = ({ event, data }: ServerEvent): Data =>
  Data.parse({ ...(JSON.parse(data) as object), type: event });

/** Where the view writes; a terminal has `isTTY` and a width. */
export interface Screen {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface ProgressView {
  show(event: Data): void;
  /** Nothing answers, and it is tried again; what is shown next says that it does. */
  lost(): void;
}

/** A job's pace is known only after a part of it; at its end there is nothing left to tell. */
const isTelling = (etaSec: number | null, percentage: number): etaSec is number =>
  etaSec !== null && percentage >= 10 && percentage < 100;

const plainLine = (event: Data): string | null => {
  switch (event.type) {
    case "status":
      return event.status;
    case "progress": {
      const eta = event.estimated_completion_seconds;
      const left = isTelling(eta, event.progress_percentage)
        ? `, about ${Math.round(eta)} s left`
        : "";
      return `${event.progress_percentage.toFixed(0)} %${left}`;
    }
    case "stage":
      return event.state === "finished" ? `${event.stage}: done` : null;
    case "warning":
      return `warning: ${event.warning.message}`;
    case "error":
      return null;
    case "retry":
      return `again from ${event.stage}`;
  }
};

const plainView = (screen: Screen): ProgressView => {
  let before = "";
  return {
    show: (event) => {
      const line = plainLine(event);
      if (line === null || line === before) return;
      before = line;
      screen.write(`${line}\n`);
    },
    lost: () => screen.write("No answer; trying again.\n"),
  };
};

const BAR_WIDTH = 24;
const CLEAR_LINE = "\u001B[2K";
const up = (lines: number) => (lines > 0 ? `\u001B[${lines}A` : "");

const bar = (fraction: number): string => {
  const filled = Math.round(Math.max(0, Math.min(1, fraction)) * BAR_WIDTH);
  return "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
};

const terminalView = (screen: Screen): ProgressView => {
  const stages = new Map<Stage, { fraction: number; done: number; total: number }>();
  const warnings: string[] = [];
  let status = "";
  let percentage = 0;
  let etaSec: number | null = null;
  let drawn = 0;
  let isLost = false;

  const lines = (): string[] => {
    const eta = isTelling(etaSec, percentage) ? `  about ${Math.round(etaSec)} s left` : "";
    return [
      `${status}  ${percentage.toFixed(0)} %${isLost ? "  no answer, trying again" : eta}`,
      ...STAGES.flatMap((stage) => {
        const state = stages.get(stage);
        if (!state || state.total === 0) return [];
        const count = state.total > 1 ? `  ${state.done}/${state.total}` : "";
        return [`  ${stage.padEnd(10)} ${bar(state.fraction)}${count}`];
      }),
      ...warnings.map((message) => `  ! ${message}`),
    ];
  };
  const draw = () => {
    const width = (screen.columns || 80) - 1;
    const text = lines().map((line) => `${CLEAR_LINE}${line.slice(0, width)}\n`);
    screen.write(up(drawn) + text.join(""));
    drawn = text.length;
  };
  return {
    show: (event) => {
      isLost = false;
      switch (event.type) {
        case "status":
          ({ status } = event);
          if (status === "Completed") [percentage, etaSec] = [100, null];
          break;
        case "progress":
          percentage = event.progress_percentage;
          etaSec = event.estimated_completion_seconds;
          for (const [stage, state] of Object.entries(event.stage_progress))
            stages.set(stage as Stage, state);
          break;
        case "stage": {
          const { stage, done, total } = event;
          const fraction =
            total === 0 ? 1 : Math.max(done / total, stages.get(stage)?.fraction ?? 0);
          stages.set(stage, { fraction, done, total });
          break;
        }
        case "warning":
          warnings.push(event.warning.message);
          break;
        case "error":
          break;
        case "retry":
          stages.clear();
          break;
      }
      draw();
    },
    lost: () => {
      isLost = true;
      draw();
    },
  };
};

export const createProgressView = (screen: Screen): ProgressView =>
  screen.isTTY ? terminalView(screen) : plainView(screen);

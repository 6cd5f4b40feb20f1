// What is drawn of a job's events, on a terminal and elsewhere.
import { expect, it } from "vitest";
import { createProgressView, parseEvent } from "./progressView.ts";

const event = (type: string, data: object) =>
  parseEvent({ id: "1", event: type, data: JSON.stringify({ ...data, at: "2026-01-01" }) });

const PROGRESS = event("progress", {
  progress_percentage: 42.4,
  current_stage: "Downloading",
  estimated_completion_seconds: 30,
  stage_progress: { media: { done: 1, total: 4, fraction: 0.5 } },
});

// oxlint-disable-next-line no-control-regex -- what a terminal is told is what is taken away here
const ESCAPES = /\u001B\[\d*[AK]/g;

type Shown = ReturnType<typeof parseEvent> | "lost";
const draw = (isTTY: boolean, events: Shown[], columns = 80) => {
  let text = "";
  const view = createProgressView({ write: (part) => (text += part), isTTY, columns });
  for (const shown of events) {
    if (shown === "lost") view.lost();
    else view.show(shown);
  }
  return text;
};

it("writes a plain line for each change where there is no terminal", () => {
  const warning = event("warning", { warning: { code: "chat_none", message: "No chat." } });
  const text = draw(false, [
    event("status", { status: "Downloading" }),
    PROGRESS,
    PROGRESS,
    warning,
  ]);
  expect(text).toBe("Downloading\n42 %, about 30 s left\nwarning: No chat.\n");
});

it("lets no warning move the cursor", () => {
  const message = "Segment \u001B[2J\u0007 is silent.";
  const warning = event("warning", { warning: { code: "chat_none", message } });
  expect(draw(false, [warning])).toBe("warning: Segment  [2J  is silent.\n");
});

it("draws a bar for each stage on a terminal, over what it drew before", () => {
  const text = draw(true, [PROGRESS, PROGRESS]);
  expect(text).toContain(`media      ${"█".repeat(12)}${"░".repeat(12)}  1/4`);
  expect(text).toContain("\u001B[2A");
});

it("cuts nothing off on a terminal that does not know its width", () => {
  const [first = ""] = draw(true, [PROGRESS], 0).replaceAll(ESCAPES, "").split("\n");
  expect(first).toMatch(/about 30 s left$/);
});

it("says that nothing answers, until something does", () => {
  expect(draw(false, [PROGRESS, "lost"])).toMatch(/No answer; trying again\.\n$/);
  const firstLine = (events: Shown[]) =>
    draw(true, events).replaceAll(ESCAPES, "").split("\n").at(-3);
  expect(firstLine([PROGRESS, "lost"])).toContain("no answer, trying again");
  expect(firstLine([PROGRESS, "lost", PROGRESS])).not.toContain("no answer");
});

it("keeps its lines inside a narrow terminal", () => {
  const lines = draw(true, [PROGRESS], 20).replaceAll(ESCAPES, "").split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(20);
});

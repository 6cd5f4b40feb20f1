import { expect, it } from "vitest";
import type { JobEvent } from "../contract/ledger.ts";
import type { Status } from "../contract/stages.ts";
import { formatEvent, streamJob } from "./stream.ts";

const event = (seq: number, status: Status): JobEvent => ({ seq, at: 0, type: "status", status });

const collect = async (all: JobEvent[], afterSeq = 0, arriving: JobEvent[] = []) => {
  const texts: string[] = [];
  const ledger = {
    events: async ({ afterSeq: after, limit }: { afterSeq: number; limit: number }) => {
      const answer = all.filter(({ seq }) => seq > after).slice(0, limit);
      all.push(...arriving.splice(0));
      return answer;
    },
  };
  const signal = AbortSignal.timeout(10_000);
  for await (const text of streamJob({ jobId: "j", ownerId: "o" }, afterSeq, ledger, signal))
    texts.push(text);
  expect(signal.aborted).toBe(false);
  return texts
    .join("")
    .match(/(?<=^id: )\d+/gm)
    ?.map(Number);
};

it("brings every event once and ends with the last", async () => {
  const events = [event(1, "Queued"), event(2, "Downloading")];
  expect(await collect(events, 0, [event(3, "Completed")])).toEqual([1, 2, 3]);
});

it("goes on after the event that the reader saw last", async () => {
  expect(
    await collect([event(1, "Queued"), event(2, "Downloading"), event(3, "Failed")], 2),
  ).toEqual([3]);
});

it("does not take the end before a retry for the end", async () => {
  const events = [event(1, "Failed"), event(2, "Queued"), event(3, "Completed")];
  expect(await collect(events)).toEqual([1, 2, 3]);
});

it("reads more pages than one", async () => {
  const many = Array.from({ length: 250 }, (_, i) => event(i + 1, "Queued"));
  expect(await collect([...many, event(251, "Canceled")])).toHaveLength(251);
});

it("writes an event as the standard has it, in snake_case", () => {
  const text = formatEvent({
    seq: 7,
    at: 0,
    type: "warning",
    warning: { code: "chat_none", message: "No chat." },
  });
  expect(text).toMatch(/^id: 7\nevent: warning\ndata: \{.*\}\n\n$/);
  expect(text).toContain('"at":"1970-01-01T00:00:00.000Z"');
});

// Notes and quiz against real endpoints on this machine, with the real pool and a fake clock.
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { format } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { api, internal } from "./_generated/api.js";
import type { Doc, Id } from "./_generated/dataModel.js";
import { insertVideo } from "./model/library/status.ts";
import { type Backend, createBackend, ownerIdOf, standInEnvironment } from "./testing.setup.ts";

/** Questions on their way. The clock stands still meanwhile, since real requests take real time. */
let asking = 0;
/** Has a try die of something that it does not know. */
let dying = false;
vi.mock(import("./model/library/studyEndpoint.ts"), async (original) => {
  const { askEndpoint } = await original();
  return {
    askEndpoint: async (...question) => {
      if (dying) throw new Error("killed");
      asking += 1;
      try {
        return await askEndpoint(...question);
      } finally {
        asking -= 1;
      }
    },
  };
});

interface Asked {
  kind: "notes" | "quiz";
  authorization: string | undefined;
  body: Record<string, unknown>;
}
/** What an endpoint does with the n-th request for it, from 1. */
type Behaviour = (response: ServerResponse, nth: number) => void;

const json =
  (value: unknown, status = 200): Behaviour =>
  (response) =>
    void response
      .writeHead(status, { "content-type": "application/json" })
      .end(JSON.stringify(value));
const NOTES = { summary: "Leases end." };
const QUIZ = { questions: [{ question: "Do leases end?", options: ["Yes", "No"] }] };

let asked: Asked[] = [];
let behaviours: Record<"notes" | "quiz", Behaviour>;
const server = createServer((request: IncomingMessage, response) => {
  void (async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const kind = request.url === "/notes" ? "notes" : "quiz";
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked["body"];
    asked.push({ kind, authorization: request.headers.authorization, body });
    behaviours[kind](response, asked.filter((one) => one.kind === kind).length);
  })();
});
let origin: string;
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  asked = [];
  behaviours = { notes: json(NOTES), quiz: json(QUIZ) };
  vi.stubEnv("NOTES_GENERATION_ENDPOINT", `${origin}/notes`);
  vi.stubEnv("QUIZ_GENERATION_ENDPOINT", `${origin}/quiz`);
  asking = 0;
  dying = false;
  // The pool logs what it tries again.
  vi.spyOn(console, "error").mockReturnValue();
  backend = createBackend();
  return () => {
    vi.restoreAllMocks();
    restore();
  };
});

type Fields = Partial<Omit<Doc<"videos">, "_id" | "_creationTime">>;
const addVideo = (fields: Fields = {}): Promise<Id<"videos">> =>
  backend.nobody.run((ctx) =>
    insertVideo(ctx, {
      ownerId: ownerIdOf("ada"),
      title: "A talk",
      url: "https://media.example/talk",
      durationInSeconds: 60,
      transcript: "A lease ends after a while.",
      ...fields,
    }),
  );
const video = async (videoId: Id<"videos">): Promise<Doc<"videos">> => {
  const row = await backend.nobody.run((ctx) => ctx.db.get("videos", videoId));
  if (!row) throw new Error("no video");
  return row;
};
const process = (videoId: Id<"videos">, who = backend.user("ada")) =>
  who.action(api.videoProcessing.processVideo, { videoId });

const settle = () =>
  backend.nobody.finishAllScheduledFunctions(() => {
    if (asking === 0) vi.runAllTimers();
  });
const kindsAsked = () => asked.map(({ kind }) => kind).toSorted();

it("is of so many of an owner's videos at once, so that nobody fills the pool", async () => {
  vi.stubEnv("MAX_WAITING_JOBS_PER_OWNER", "2");
  const failed = { run: 1, state: "failed", startedAt: 1 } as const;
  const [one, two, three, four] = [
    await addVideo(),
    await addVideo(),
    await addVideo(),
    await addVideo({ study: failed }),
  ] as const;
  await process(one);
  await process(two);
  const tooMany = { data: { code: "too_many_jobs" } };
  await expect(process(three)).rejects.toMatchObject(tooMany);
  const retry = () => backend.user("ada").mutation(api.videos.retryFailedVideo, { videoId: four });
  await expect(retry()).rejects.toMatchObject(tooMany);
  await process(one);
  await process(await addVideo({ ownerId: ownerIdOf("bob") }), backend.user("bob"));
  await settle();
  await process(three);
  await retry();
  await settle();
  expect(await video(four)).toMatchObject({ libraryStatus: "completed" });
});

it("pending -> processing -> completed, with what the endpoints answered", async () => {
  vi.stubEnv("STUDY_API_KEY", "secret");
  const videoId = await addVideo();
  await process(videoId);
  expect(await video(videoId)).toMatchObject({ libraryStatus: "processing" });
  await settle();
  expect(await video(videoId)).toMatchObject({
    libraryStatus: "completed",
    notes: NOTES,
    quiz: QUIZ,
    study: { state: "completed", run: 1, made: ["notes", "quiz"] },
  });
  const body = {
    video_id: videoId,
    title: "A talk",
    url: "https://media.example/talk",
    duration_sec: 60,
    transcript: "A lease ends after a while.",
  };
  const authorization = "Bearer secret";
  expect(asked.toSorted((a, b) => a.kind.localeCompare(b.kind))).toEqual([
    { kind: "notes", authorization, body },
    { kind: "quiz", authorization, body },
  ]);
});

it("called again while processing -> no second work; after completion -> anew", async () => {
  const videoId = await addVideo();
  await Promise.all([process(videoId), process(videoId)]);
  await process(videoId);
  await settle();
  expect(kindsAsked()).toEqual(["notes", "quiz"]);
  behaviours.notes = json("better");
  await process(videoId);
  await settle();
  expect(kindsAsked()).toEqual(["notes", "notes", "quiz", "quiz"]);
  expect(await video(videoId)).toMatchObject({ notes: "better", study: { run: 2 } });
});

it("another transcript while processing -> the run is overtaken, what it still says is dropped", async () => {
  const videoId = await addVideo();
  await process(videoId);
  await backend.nobody.run((ctx) =>
    ctx.db.patch("videos", videoId, { transcript: "Other words." }),
  );
  await process(videoId);
  await settle();
  expect(asked.map(({ body }) => body["transcript"])).toEqual(["Other words.", "Other words."]);
  await backend.nobody.mutation(internal.videoProcessing.updateVideoContent, {
    videoId,
    run: 1,
    notes: "late",
    status: "completed",
  });
  expect(await video(videoId)).toMatchObject({ notes: NOTES, study: { run: 2 } });
});

it("failure that may pass -> tried again, for what is missing, until it works", async () => {
  behaviours.quiz = (response, nth) =>
    nth <= 2 ? json({}, nth === 1 ? 503 : 429)(response, nth) : json(QUIZ)(response, nth);
  const videoId = await addVideo();
  await process(videoId);
  await settle();
  expect(kindsAsked()).toEqual(["notes", "quiz", "quiz", "quiz"]);
  const { study, libraryStatus } = await video(videoId);
  expect(libraryStatus).toBe("completed");
  expect(study?.errorCode).toBeUndefined();
});

it("failure that does not pass -> after five tries failed, retryable, with what it was", async () => {
  behaviours.notes = (response) => void response.destroy();
  const videoId = await addVideo();
  await process(videoId);
  await settle();
  expect(kindsAsked()).toEqual([...Array<string>(5).fill("notes"), "quiz"]);
  expect(await video(videoId)).toMatchObject({
    libraryStatus: "failed",
    quiz: QUIZ,
    study: {
      state: "failed",
      errorCode: "study_unavailable",
      errorMessage: "The notes endpoint cannot be reached, or broke off.",
      isRetryable: true,
    },
  });
  behaviours.notes = json(["a", "b"]);
  await process(videoId);
  await settle();
  expect(kindsAsked().filter((kind) => kind === "quiz")).toHaveLength(1);
  expect(await video(videoId)).toMatchObject({ libraryStatus: "completed", notes: ["a", "b"] });
});

const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
describe("an answer that is of no use -> failed at once, not retryable", () => {
  it.each<[string, Behaviour, RegExp]>([
    ["400", json({}, 400), /status 400/],
    ["a redirect", (r) => void r.writeHead(302, { location: "/notes" }).end(), /status 302/],
    ["HTML", (r) => void r.end("<!doctype html>"), /not JSON/],
    ["nothing", (r) => void r.end(), /not JSON/],
    ["a number", json(7), /not an object/],
    ["a list", json([QUIZ]), /not an object/],
    ["null", json(null), /not an object/],
    ["too much", json({ a: "x".repeat(600_000) }), /more than 512 KiB/],
    ["endless", endless, /more than 512 KiB/],
    ["more than a row holds", json({ a: "x".repeat(200_000) }), /more than 128 KiB/],
    ["deep", json(deep(16)), /nested deeper/],
    ["a field of Convex's own", json({ $ref: 1 }), /name cannot be kept/],
    ["a field without a name", json({ a: { "": 1 } }), /name cannot be kept/],
    ["half a character", (r) => void r.end('{"a":"\\ud800"}'), /no Unicode/],
    ["a long list", json({ a: Array<number>(9000).fill(1) }), /more than 8192/],
  ])("%s", async (_name, behaviour, message) => {
    behaviours.quiz = behaviour;
    const videoId = await addVideo();
    await process(videoId);
    await settle();
    expect(kindsAsked()).toEqual(["notes", "quiz"]);
    const { study, notes } = await video(videoId);
    expect(study).toMatchObject({
      state: "failed",
      errorCode: "study_rejected",
      isRetryable: false,
    });
    expect(study?.errorMessage).toMatch(message);
    expect(notes).toEqual(NOTES);
  });
});

const endless = (response: ServerResponse): void => {
  const more = () => {
    while (!response.destroyed && response.write("[".repeat(65_536)));
  };
  response.on("drain", more);
  more();
};

it("no answer in two minutes -> given up, and tried again", async () => {
  const hanging = Promise.withResolvers<void>();
  behaviours.quiz = (response, nth) => {
    if (nth > 1) json(QUIZ)(response, nth);
    else hanging.resolve();
  };
  const videoId = await addVideo();
  await process(videoId);
  const settled = settle();
  await hanging.promise;
  vi.advanceTimersByTime(120_000);
  await settled;
  await settle();
  expect(kindsAsked()).toEqual(["notes", "quiz", "quiz"]);
  expect(await video(videoId)).toMatchObject({ libraryStatus: "completed" });
});

it.each([
  ["STUDY_API_KEY", "sk-secret\nsecond", /STUDY_API_KEY/],
  ["STUDY_API_KEY", "sk-secret-Ü", /STUDY_API_KEY/],
  ["NOTES_GENERATION_ENDPOINT", "https://ada:secret@media.example/notes", /NOTES_GENERATION_/],
  ["QUIZ_GENERATION_ENDPOINT", "", /QUIZ_GENERATION_ENDPOINT is not set\./],
  ["QUIZ_GENERATION_ENDPOINT", "ftp://media.example", /is no address of HTTP/],
])("%s is %j -> refused, and a finished video stays as it is", async (name, value, says) => {
  const videoId = await addVideo({ status: "Completed" });
  const before = await video(videoId);
  vi.stubEnv(name, value);
  const refusal = await process(videoId).catch((error: { data: unknown }) => error.data);
  expect(refusal).toMatchObject({
    code: "study_not_configured",
    message: expect.stringMatching(says),
  });
  expect(JSON.stringify(refusal)).not.toContain("secret");
  expect(await video(videoId)).toEqual(before);
});

it("endpoints taken away while it waits -> failed with what is missing, unseen", async () => {
  const videoId = await addVideo();
  await process(videoId);
  vi.stubEnv("STUDY_API_KEY", "sk-secret\nsecond");
  await settle();
  const { study } = await video(videoId);
  expect(study).toMatchObject({ errorCode: "study_not_configured", isRetryable: false });
  expect(study?.errorMessage).toContain("STUDY_API_KEY");
  expect(study?.errorMessage).not.toContain("secret");
  expect(asked).toEqual([]);
  expect(JSON.stringify(vi.mocked(console.error).mock.calls)).not.toContain("secret");
});

it("a try that may be made again -> one error in the log, with the video", async () => {
  behaviours.notes = json({}, 503);
  const videoId = await addVideo();
  await process(videoId);
  await settle();
  const lines = vi.mocked(console.error).mock.calls.map((logged) => format(...logged));
  expect(lines).toHaveLength(5);
  for (const line of lines) {
    expect(line).toMatch(/^[^\n]*The notes endpoint answered with status 503\./);
    expect(line).toContain(videoId);
  }
});

it("without a transcript -> refused before any work", async () => {
  const videoId = await addVideo({ transcript: " " });
  await expect(process(videoId)).rejects.toMatchObject({ data: { code: "conflict" } });
  expect((await video(videoId)).study).toBeUndefined();
});

it("a try that dies -> settled by the pool as failed", async () => {
  dying = true;
  const videoId = await addVideo();
  await process(videoId);
  await settle();
  expect(asked).toEqual([]);
  expect(await video(videoId)).toMatchObject({
    libraryStatus: "failed",
    study: { state: "failed", errorCode: "internal", isRetryable: true },
  });
});

it("a video deleted meanwhile -> no error, and nothing is asked", async () => {
  const videoId = await addVideo();
  await process(videoId);
  await backend.nobody.run((ctx) => ctx.db.delete("videos", videoId));
  await settle();
  expect(asked).toEqual([]);
});

it("the documented call of the internal action -> goes through the pool as well", async () => {
  const videoId = await addVideo();
  await backend.nobody.action(internal.videoProcessing.processVideoInternal, { videoId });
  await settle();
  expect(await video(videoId)).toMatchObject({ libraryStatus: "completed", study: { run: 1 } });
});

it("is for the video's owner and admins", async () => {
  const videoId = await addVideo();
  const refused = (code: string) => ({ data: { code } });
  await expect(process(videoId, backend.user("ben"))).rejects.toMatchObject(refused("not_found"));
  await expect(process(videoId, backend.nobody)).rejects.toMatchObject(refused("unauthorized"));
  await expect(process(videoId, backend.service)).rejects.toMatchObject(refused("forbidden"));
  await process(videoId, backend.user("eve", "admin"));
  await settle();
  expect(await video(videoId)).toMatchObject({ libraryStatus: "completed" });
});

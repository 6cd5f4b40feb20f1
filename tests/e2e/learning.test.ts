// The usage examples of `lms-schema-v2`, through Convex's own client against the local Convex: an
// instructor makes a video and a course, a learner takes it.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { text as textOf } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { afterAll, beforeAll, expect, it } from "vitest";
import { api } from "#convex/_generated/api.js";
import type { Id } from "#convex/_generated/dataModel.js";
import type { Role } from "#convex/model/access.ts";
import { startConvexThread } from "#local/convex/thread.ts";
import { loadPeople } from "#local/people.ts";

const CALL = fileURLToPath(new URL("../../local/cli/call.ts", import.meta.url));

const NOTES = { summary: "What the talk says." };
const QUIZ = {
  questions: [
    {
      question: "What does a lease do?",
      options: ["It ends", "It stays"],
      correctAnswer: 0,
      explanation: "Leases run out.",
    },
  ],
};

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** What generates notes and quizzes; it answers like one, and remembers what it was asked. */
const asked: { path: string; body: { transcript: string } }[] = [];
const startEndpoints = async (): Promise<string> => {
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    request.on("end", () => {
      const body = JSON.parse(text) as { transcript: string };
      asked.push({ path: request.url ?? "", body });
      if (body.transcript.includes("REFUSE")) response.statusCode = 422;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(request.url === "/notes" ? NOTES : QUIZ));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

let convexUrl: string;
let tokenOf: (name: string, role?: Role) => Promise<string>;
beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "learning-"));
  closing.push(() => rm(dataDir, { recursive: true }));
  const people = await loadPeople(dataDir);
  tokenOf = (name, role) => people.token({ name, role, audience: "klipstream" });
  const endpoints = await startEndpoints();
  const convex = await startConvexThread({
    folder: fileURLToPath(new URL("../../convex", import.meta.url)),
    env: {
      ...people.environment,
      NOTES_GENERATION_ENDPOINT: `${endpoints}/notes`,
      QUIZ_GENERATION_ENDPOINT: `${endpoints}/quiz`,
    },
  });
  closing.push(() => convex.close());
  convexUrl = convex.url;
});

const clientOf = async (name: string, role?: Role): Promise<ConvexHttpClient> =>
  new ConvexHttpClient(convexUrl, {
    logger: false,
    skipConvexDeploymentUrlCheck: true,
    auth: await tokenOf(name, role),
  });

/** The states a page that follows the video sees, up to the last. */
const followVideo = async (videoId: Id<"videos">): Promise<{ seen: string[] }> => {
  const live = new ConvexClient(convexUrl, { skipConvexDeploymentUrlCheck: true, logger: false });
  live.setAuth(() => tokenOf("ada", "instructor"));
  const seen: string[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      live.onUpdate(
        api.videos.getVideo,
        { videoId },
        (video) => {
          const status = video?.status ?? "none";
          if (seen.at(-1) !== status) seen.push(status);
          if (status === "completed" || status === "failed") resolve();
        },
        reject,
      );
    });
  } finally {
    await live.close();
  }
  return { seen };
};

let videoId: Id<"videos">;
let courseId: Id<"courses">;
let itemIds: Id<"contentItems">[];

it("creates a video with background processing", async () => {
  const ada = await clientOf("ada", "instructor");
  videoId = await ada.mutation(api.videos.createVideo, {
    youtubeVideoId: "abc123",
    title: "Introduction to AI",
    url: "https://youtube.com/watch?v=abc123",
    transcript: "A lease ends after a while. Then somebody else may do the work.",
    notes: {},
    quiz: {},
  });
  expect(await ada.query(api.videos.getVideosByStatus, { status: "pending" })).toMatchObject([
    { _id: videoId, status: "pending" },
  ]);

  const followed = followVideo(videoId);
  await ada.action(api.videoProcessing.processVideo, { videoId });
  expect((await followed).seen.at(-1)).toBe("completed");
  expect(asked.map(({ path }) => path).toSorted()).toEqual(["/notes", "/quiz"]);
  expect(asked[0]?.body.transcript).toContain("A lease ends");
  expect(await ada.query(api.videos.getVideo, { videoId })).toMatchObject({
    status: "completed",
    notes: NOTES,
    quiz: QUIZ,
  });
});

it("creates a flexible course", async () => {
  const ada = await clientOf("ada", "instructor");
  courseId = await ada.mutation(api.courses.createCourse, {
    name: "Full Stack Development",
    description: "Learn web development",
    status: "draft",
    isPublished: false,
  });
  const chapterId = await ada.mutation(api.chapters.createChapter, {
    courseId,
    name: "Introduction",
    order: 1,
  });
  itemIds = [
    await ada.mutation(api.contentItems.create, { chapterId, type: "video", videoId, order: 1 }),
    await ada.mutation(api.contentItems.create, {
      chapterId,
      type: "text",
      textContent: "<h1>Welcome</h1><p>Course overview...</p>",
      order: 2,
    }),
  ];
  const lea = await clientOf("lea");
  await expect(lea.query(api.courses.getCourseWithStructure, { courseId })).rejects.toMatchObject({
    data: { code: "not_found" },
  });
  await ada.mutation(api.courses.updateCourse, {
    id: courseId,
    isPublished: true,
    status: "ready",
  });
  const course = await lea.query(api.courses.getCourseWithStructure, { courseId });
  expect(course).toMatchObject({
    name: "Full Stack Development",
    isPublished: true,
    chapters: [
      {
        name: "Introduction",
        contentItems: [
          { _id: itemIds[0], type: "video", videoId },
          { _id: itemIds[1], type: "text" },
        ],
      },
    ],
  });
});

it("edits content items under the document's names", async () => {
  const ada = await clientOf("ada", "instructor");
  const draft = await ada.mutation(api.courses.createCourse, { name: "Draft" });
  const chapterId = await ada.mutation(api.chapters.createChapter, {
    courseId: draft,
    name: "Only",
    order: 1,
  });
  const id = await ada.mutation(api.contentItems.createContentItem, {
    chapterId,
    type: "resource",
    resourceUrl: "https://example.com/slides.pdf",
    resourceTitle: "Slides",
    order: 1,
  });
  await ada.mutation(api.contentItems.updateContentItem, { id, resourceTitle: "The slides" });
  expect(await ada.query(api.contentItems.getContentItemsByChapter, { chapterId })).toMatchObject([
    { _id: id, resourceTitle: "The slides" },
  ]);
  await ada.mutation(api.contentItems.deleteContentItem, { id });
  expect(await ada.query(api.contentItems.getContentItemsByChapter, { chapterId })).toEqual([]);
});

it("keeps a failure with its cause, and retries it", async () => {
  const ada = await clientOf("ada", "instructor");
  const failing = await ada.mutation(api.videos.createVideo, {
    title: "Refused",
    url: "https://media.example/refused.mp4",
    transcript: "REFUSE this one.",
  });
  const first = followVideo(failing);
  await ada.action(api.videoProcessing.processVideo, { videoId: failing });
  expect((await first).seen.at(-1)).toBe("failed");
  expect(await ada.query(api.videos.getVideosByStatus, { status: "failed" })).toMatchObject([
    { _id: failing, errorMessage: expect.stringContaining("422") as string },
  ]);
  await ada.mutation(api.videos.updateVideo, { videoId: failing, transcript: "Take this one." });
  await ada.mutation(api.videos.retryFailedVideo, { videoId: failing });
  expect((await followVideo(failing)).seen.at(-1)).toBe("completed");
});

it("tracks a learner's progress", async () => {
  const lea = await clientOf("lea");
  const [contentItemId] = itemIds as [Id<"contentItems">];
  await lea.mutation(api.progress.markCompleted, {
    userId: "lea",
    courseId,
    contentItemId,
    completed: true,
  });
  expect(await lea.query(api.progress.getUserCourseProgress, { userId: "lea", courseId })).toEqual({
    completed: 1,
    total: 2,
    percentage: 50,
  });
  expect(await lea.query(api.progress.getUserProgress, { userId: "lea", courseId })).toMatchObject({
    courseId,
    chapters: [
      {
        completed: false,
        items: [
          { contentItemId: itemIds[0], completed: true },
          { contentItemId: itemIds[1], completed: false },
        ],
      },
    ],
  });
  expect(await lea.query(api.progress.getUserOverallProgress, { userId: "lea" })).toMatchObject({
    courses: 1,
    completedCourses: 0,
    completedItems: 1,
    totalItems: 2,
    percentage: 50,
    perCourse: [{ courseId, name: "Full Stack Development", percentage: 50 }],
  });
  await expect(
    lea.query(api.progress.getUserCourseProgress, { userId: "somebody", courseId }),
  ).rejects.toMatchObject({ data: { code: "forbidden" } });
});

it("is reached from the command line as well", async () => {
  const call = async (args: string[]): Promise<{ code: number; out: string; err: string }> => {
    const child = spawn(process.execPath, [CALL, ...args, "--url", convexUrl], {
      env: { ...process.env, CONVEX_TOKEN: await tokenOf("lea") },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, err] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
    return { code: child.exitCode ?? (await once(child, "exit"))[0], out, err };
  };
  const progress = await call(["progress:getUserCourseProgress", JSON.stringify({ courseId })]);
  expect([progress.code, JSON.parse(progress.out)]).toEqual([
    0,
    { completed: 1, total: 2, percentage: 50 },
  ]);
  expect(await call(["courses:createCourse", '{"name": "Mine"}'])).toEqual({
    code: 1,
    out: "",
    err: "Only an instructor may do this. (forbidden)\n",
  });
  expect(await call(["courses:nothing"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("There is no function courses:nothing") as string,
  });
  const foreign = await call(["courses:getCourse", JSON.stringify({ courseId: itemIds[0] })]);
  expect(foreign).toMatchObject({ code: 2, out: "" });
  expect(foreign.err).toMatch(/^[^\n]*"?courses"?[^\n]*\n  courses:getCourse \{ courseId: /);
  const listed = await call(["courses:listPublishedCourses"]);
  expect([listed.code, JSON.parse(listed.out)]).toMatchObject([0, { isDone: true }]);
  expect(await call(["courses:getCourse", "{courseId}"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("not JSON") as string,
  });
});

it("drafts a course from the video", async () => {
  const ada = await clientOf("ada", "instructor");
  const live = new ConvexClient(convexUrl, { skipConvexDeploymentUrlCheck: true, logger: false });
  live.setAuth(() => tokenOf("ada", "instructor"));
  const drafted = await ada.mutation(api.courseDrafts.draftFromVideos, {
    videoIds: [videoId],
  });
  await new Promise<void>((resolve, reject) => {
    live.onUpdate(
      api.courses.getCourse,
      { courseId: drafted },
      (course) => course?.status !== "generating" && resolve(),
      reject,
    );
  });
  await live.close();
  const course = await ada.query(api.courses.getCourseWithStructure, { courseId: drafted });
  expect(course.status).toBe("draft");
  const types = course.chapters.flatMap(({ contentItems }) => contentItems.map(({ type }) => type));
  expect(types.toSorted()).toEqual(["quiz", "text", "video"]);
});

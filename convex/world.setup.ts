// A small world to ask permissions and count reads in: Ada teaches, Lea learns, Ivo teaches somewhere
// else, and a job of Ada's has stored a clip.
import type { Id } from "./_generated/dataModel.js";
import { api } from "./_generated/api.js";
import { type Backend, createJob, ownerIdOf } from "./testing.setup.ts";

const QUIZ = {
  questions: [
    { id: "q1", type: "true_false", prompt: "Is water wet?", answer: true, explanation: "It is." },
  ],
};
const ASSIGNMENT = { instructions: "Write about water.", maxPoints: 10 };

/** The clip's thumbnail, in the job's folder. */
export const ASSIGNED = "clips/01.jpg";

/** An object of a job, as the pipeline tells of it. */
export const storedObject = (jobId: string, name: string) => ({
  bucket: "bucket",
  key: `jobs/${jobId}/${name}`,
  sizeBytes: 1000,
  sha256: "ab".repeat(32),
  contentType: "video/mp4",
});

export interface World {
  /** Ada's: with a transcript; in no course. */
  spareVideo: Id<"videos">;
  /** Ada's: shown in both courses. */
  video: Id<"videos">;
  /** Ada's, of a job with a clip. */
  jobVideo: Id<"videos">;
  jobId: string;
  scene: Id<"scenes">;
  session: Id<"videoSessions">;
  /** Published; Lea takes part in it. */
  course: Id<"courses">;
  chapter: Id<"chapters">;
  text: Id<"contentItems">;
  videoItem: Id<"contentItems">;
  quiz: Id<"contentItems">;
  assignment: Id<"contentItems">;
  /** Not published. */
  draft: Id<"courses">;
  draftChapter: Id<"chapters">;
  draftItem: Id<"contentItems">;
  /** Lea's. */
  attempt: Id<"quizAttempts">;
  submission: Id<"assignmentSubmissions">;
  /** Ada's. */
  apiKey: Id<"apiKeys">;
}

export const createWorld = async (backend: Backend): Promise<World> => {
  const ada = backend.user("ada", "instructor");
  const lea = backend.user("lea");
  // As rows from before there were counts, since those take most of the time that a new video takes.
  const newVideo = (title: string) =>
    backend.nobody.run((ctx) =>
      ctx.db.insert("videos", {
        ownerId: ownerIdOf("ada"),
        provider: "url",
        title,
        url: `https://media.example/${title}.mp4`,
        transcript: "Water is wet.",
        libraryStatus: "pending",
        createdAt: Date.now(),
      }),
    );
  const video = await newVideo("water");
  const spareVideo = await newVideo("spare");
  const { job } = await createJob(backend, { ownerId: ownerIdOf("ada") });
  const { jobId } = job;
  await backend.service.mutation(api.assets.openScene, { jobId, index: 0, startSec: 0, endSec: 9 });
  const opened = await ada.run(async (ctx) => (await ctx.db.query("scenes").first())!);
  await backend.service.mutation(api.assets.replaceAsset, {
    sceneId: opened._id,
    field: "thumbnailAsset",
    object: storedObject(jobId, ASSIGNED),
  });

  const newCourse = async (name: string) => {
    const course = await ada.mutation(api.courses.createCourse, { name });
    const chapter = await ada.mutation(api.chapters.createChapter, { courseId: course, name });
    return { course, chapter };
  };
  const { course, chapter } = await newCourse("Water");
  const add = (chapterId: Id<"chapters">, item: object) =>
    ada.mutation(api.contentItems.create, { chapterId, ...item } as Parameters<
      typeof ada.mutation<typeof api.contentItems.create>
    >[1]);
  const text = await add(chapter, { type: "text", textContent: "<p>Water</p>" });
  const videoItem = await add(chapter, { type: "video", videoId: video, startSec: 0, endSec: 60 });
  const quiz = await add(chapter, { type: "quiz", quizData: QUIZ });
  const assignment = await add(chapter, { type: "assignment", assignmentData: ASSIGNMENT });
  await ada.mutation(api.courses.publishCourse, { courseId: course });
  const { course: draft, chapter: draftChapter } = await newCourse("Fire");
  const draftItem = await add(draftChapter, { type: "video", videoId: video });

  await lea.mutation(api.enrollments.enroll, { courseId: course });
  const attempt = await lea.mutation(api.quizzes.startAttempt, { contentItemId: quiz });
  const submission = await lea.mutation(api.assignments.submit, {
    contentItemId: assignment,
    text: "Water is wet.",
  });
  const { id: apiKey } = await ada.action(api.apiKeys.create, { name: "a key" });
  return {
    spareVideo,
    video,
    jobVideo: opened.videoId!,
    jobId,
    scene: opened._id,
    session: opened.sessionId!,
    course,
    chapter,
    text,
    videoItem,
    quiz,
    assignment,
    draft,
    draftChapter,
    draftItem,
    attempt: attempt.attemptId,
    submission: submission.submissionId,
    apiKey,
  };
};

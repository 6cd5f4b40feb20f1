// The permission table: for each function, what everybody gets who calls it. A function without a row
// fails the test, so does a row without its function.
import {
  BACKEND,
  PIPELINE,
  type Row,
  anybody,
  but,
  draftEditors,
  editors,
  everybody,
  instructors,
  known,
  once,
  operators,
  ownersOnly,
} from "./permissionRows.setup.ts";
import { ASSIGNED, type World, storedObject } from "./world.setup.ts";

const page = { paginationOpts: { numItems: 10, cursor: null } };
const course = ({ course }: World) => ({ courseId: course });
const draft = ({ draft }: World) => ({ courseId: draft });

const READ: Record<string, Row[]> = {
  "analytics:getCourseAnalytics": [editors(course)],
  "analytics:getItemAnalytics": [editors(({ text }) => ({ contentItemId: text }))],
  "apiKeys:list": [anybody({})],
  "assetReferences:get": [known(({ jobId }) => ({ bucket: "bucket", key: keyOf(jobId) }))],
  "assetReferences:whyKept": [known(({ jobId }) => ({ bucket: "bucket", key: keyOf(jobId) }))],
  "assetReferences:knownSince": [operators({})],
  "assetReferences:list": [operators({ bucket: "bucket", ...page })],
  "assetReferences:lookup": [operators({ bucket: "bucket", keys: ["jobs/x"] })],
  "assignments:listMine": [
    anybody(({ assignment }) => ({ contentItemId: assignment })),
    ownersOnly(({ draftItem }) => ({ contentItemId: draftItem })),
  ],
  "assignments:listSubmissions": [
    editors((world) => ({ ...course(world), ...page })),
    draftEditors((world) => ({ ...draft(world), ...page })),
  ],
  "chapters:getChapter": [
    anybody(({ chapter }) => ({ chapterId: chapter })),
    ownersOnly(({ draftChapter }) => ({ chapterId: draftChapter })),
  ],
  "chapters:getChaptersByCourse": [anybody(course), ownersOnly(draft)],
  "contentItems:getContentItem": [
    anybody(({ text }) => ({ contentItemId: text })),
    ownersOnly(({ draftItem }) => ({ contentItemId: draftItem })),
  ],
  "contentItems:getByChapter": [
    anybody(({ chapter }) => ({ chapterId: chapter })),
    ownersOnly(({ draftChapter }) => ({ chapterId: draftChapter })),
  ],
  "contentItems:getContentItemsByChapter": [
    ownersOnly(({ draftChapter }) => ({ chapterId: draftChapter })),
  ],
  "courses:getCourse": [anybody(course), ownersOnly(draft)],
  "courses:getCourseWithStructure": [anybody(course), ownersOnly(draft)],
  "courses:getCoursesByStatus": [instructors({ status: "draft" })],
  "courses:getCoursesByUser": [
    instructors({}),
    but(instructors({ userId: "ada" }), { other: "forbidden" }),
  ],
  "courses:listCourses": [instructors(page)],
  "courses:listPublishedCourses": [anybody(page)],
  "courses:searchCourses": [anybody({ query: "water" })],
  "enrollments:countByCourse": [anybody(course), ownersOnly(draft)],
  "enrollments:listByCourse": [
    editors((world) => ({ ...course(world), ...page })),
    draftEditors((world) => ({ ...draft(world), ...page })),
  ],
  "enrollments:listMine": [anybody(page)],
  "jobs:stateOf": [operators(({ jobId }) => ({ jobId }))],
  "migrations:errors": [operators({ cursor: null })],
  "migrations:preview": [operators({ table: "scenes", cursor: null })],
  "migrations:status": [operators({}, "nothing")],
  "migrations:verify": [operators({ table: "scenes", cursor: null })],
  "progress:getPlayback": [
    anybody(({ videoItem }) => ({ contentItemId: videoItem }), "nothing"),
    ownersOnly(({ draftItem }) => ({ contentItemId: draftItem }), "nothing"),
  ],
  "progress:getResume": [anybody(course), ownersOnly(draft)],
  "progress:getUserCourseProgress": [
    anybody(course),
    ownersOnly(draft),
    but(
      anybody((world) => ({ ...course(world), userId: "lea" }), "forbidden"),
      { learner: "ok" },
    ),
  ],
  "progress:getUserProgress": [anybody(course), ownersOnly(draft)],
  "progress:getUserOverallProgress": [
    anybody({}),
    but(anybody({ userId: "lea" }, "forbidden"), { learner: "ok" }),
  ],
  "quizzes:getAttempt": [
    but(
      anybody(({ attempt }) => ({ attemptId: attempt }), "not_found"),
      { learner: "ok" },
    ),
  ],
  "quizzes:listAttempts": [anybody(({ quiz }) => ({ contentItemId: quiz }))],
  "quizzes:listResults": [editors(({ quiz }) => ({ contentItemId: quiz, ...page }))],
  "scenes:getScene": [ownersOnly(({ scene }) => ({ sceneId: scene }))],
  "scenes:listBySession": [ownersOnly(({ session }) => ({ sessionId: session, ...page }))],
  "scenes:listByVideo": [ownersOnly(({ jobVideo }) => ({ videoId: jobVideo, ...page }))],
  "transcripts:getOutline": [ownersOnly(({ video }) => ({ videoId: video }), "nothing")],
  "transcripts:getTranscript": [ownersOnly(({ video }) => ({ videoId: video, ...page }))],
  "transcripts:searchTranscripts": [
    anybody({ query: "water" }),
    ownersOnly(({ video }) => ({ query: "water", videoId: video })),
  ],
  "video:getByTwitchIdPublic": [everybody({ twitchId: "1" }, "nothing")],
  "videoSessions:getSession": [ownersOnly(({ session }) => ({ sessionId: session }))],
  "videoSessions:listByVideo": [ownersOnly(({ jobVideo }) => ({ videoId: jobVideo, ...page }))],
  "videos:countVideos": [
    anybody({}),
    but(anybody({ ownerId: "somebody" }, "forbidden"), { admin: "ok" }),
  ],
  "videos:getJobById": [
    but(
      known(({ jobId }) => ({ jobId })),
      { learner: "nothing", other: "nothing" },
    ),
  ],
  "videos:getVideo": [ownersOnly(({ video }) => ({ videoId: video }))],
  "videos:getVideosByStatus": [anybody({ status: "pending" })],
  "videos:listVideos": [anybody(page)],
  "videos:searchVideos": [anybody({ query: "water" })],
};

const keyOf = (jobId: string): string => storedObject(jobId, ASSIGNED).key;

const newItem = { type: "text", textContent: "More." };
const WRITE: Record<string, Row[]> = {
  "apiKeys:create": [anybody({ name: "key" })],
  "apiKeys:revoke": [
    but(
      ownersOnly(({ apiKey }) => ({ id: apiKey })),
      { admin: "not_found" },
    ),
  ],
  "assetReferences:forget": [operators({ referenceIds: [] })],
  "assets:replaceAsset": [
    operators(({ scene, jobId }) => ({
      sceneId: scene,
      field: "thumbnailAsset",
      object: storedObject(jobId, "clips/01.jpg"),
    })),
  ],
  "assignments:submit": [
    anybody(({ assignment }) => ({ contentItemId: assignment, text: "Again." })),
    ownersOnly(({ draftItem }) => ({ contentItemId: draftItem, text: "x" }), "invalid_request"),
  ],
  "assignments:grade": [
    but(
      editors(({ submission }) => ({ submissionId: submission, points: 9 })),
      { other: "not_found" },
    ),
  ],
  "assignments:returnForRevision": [
    but(
      editors(({ submission }) => ({ submissionId: submission, feedback: "More." })),
      { other: "not_found" },
    ),
  ],
  "chapters:createChapter": [
    editors((world) => ({ ...course(world), name: "More" })),
    draftEditors((world) => ({ ...draft(world), name: "More" })),
  ],
  "chapters:updateChapter": [
    editors(({ chapter }) => ({ id: chapter, name: "Waters" })),
    draftEditors(({ draftChapter }) => ({ id: draftChapter, name: "Fires" })),
  ],
  "chapters:moveChapter": [editors(({ chapter }) => ({ chapterId: chapter, afterId: null }))],
  "chapters:reorderChapters": [
    draftEditors((world) => ({ ...draft(world), chapterIds: [world.draftChapter] })),
  ],
  "chapters:deleteChapter": once(draftEditors(({ draftChapter }) => ({ chapterId: draftChapter }))),
  "contentItems:create": [
    editors(({ chapter }) => ({ chapterId: chapter, ...newItem })),
    draftEditors(({ draftChapter }) => ({ chapterId: draftChapter, ...newItem })),
  ],
  "contentItems:createContentItem": [
    editors(({ chapter }) => ({ chapterId: chapter, ...newItem })),
  ],
  "contentItems:update": [editors(({ text }) => ({ id: text, textContent: "Else." }))],
  "contentItems:updateContentItem": [
    draftEditors(({ draftItem }) => ({ id: draftItem, title: "Embers" })),
  ],
  "contentItems:moveItem": [
    editors(({ text, chapter }) => ({ contentItemId: text, chapterId: chapter, afterId: null })),
  ],
  "contentItems:reorderItems": [
    draftEditors(({ draftChapter, draftItem }) => ({
      chapterId: draftChapter,
      itemIds: [draftItem],
    })),
  ],
  "contentItems:remove": once(draftEditors(({ draftItem }) => ({ id: draftItem }))),
  "contentItems:deleteContentItem": once(editors(({ text }) => ({ id: text }))),
  "courses:createCourse": [instructors({ name: "Air" })],
  "courses:updateCourse": [editors(({ course }) => ({ id: course, name: "Waters" }))],
  "courses:publishCourse": [editors(course), draftEditors(draft)],
  "courses:unpublishCourse": [editors(course)],
  "courses:archiveCourse": [editors(course)],
  "courses:unarchiveCourse": [editors(course, "ok")],
  "courses:duplicateCourse": [editors(course), draftEditors(draft)],
  "courses:deleteCourse": [editors(course), draftEditors(draft)],
  "courseDrafts:draftFromVideos": [
    but(
      instructors(({ video }) => ({ videoIds: [video] })),
      { other: "not_found" },
    ),
  ],
  "courseDrafts:confirmItem": [editors(({ text }) => ({ contentItemId: text }), "invalid_request")],
  "courseDrafts:retryDraft": [editors(course, "conflict"), draftEditors(draft, "conflict")],
  "enrollments:enroll": [anybody(course), ownersOnly(draft)],
  "enrollments:unenroll": [anybody(course)],
  "migrations:start": [operators({})],
  "migrations:cancel": [operators({})],
  "progress:markCompleted": [
    anybody((world) => ({ ...course(world), contentItemId: world.text, completed: true })),
    ownersOnly((world) => ({ ...draft(world), contentItemId: world.draftItem, completed: true })),
    but(
      anybody(
        (world) => ({
          ...course(world),
          userId: "lea",
          contentItemId: world.text,
          completed: true,
        }),
        "forbidden",
      ),
      { learner: "ok" },
    ),
  ],
  "progress:opened": [
    anybody(({ text }) => ({ contentItemId: text })),
    ownersOnly(({ draftItem }) => ({ contentItemId: draftItem })),
  ],
  "progress:watched": [
    anybody(({ videoItem }) => ({ contentItemId: videoItem, positionSec: 5, watchedSec: 5 })),
    ownersOnly(({ draftItem }) => ({ contentItemId: draftItem, positionSec: 5, watchedSec: 5 })),
  ],
  "quizzes:startAttempt": [
    anybody(({ quiz }) => ({ contentItemId: quiz })),
    ownersOnly(({ draftItem }) => ({ contentItemId: draftItem }), "invalid_request"),
  ],
  "quizzes:saveAnswers": [
    but(
      anybody(({ attempt }) => ({ attemptId: attempt, answers: { q1: true } }), "not_found"),
      { learner: "ok" },
    ),
  ],
  "quizzes:submitAttempt": [
    but(
      anybody(({ attempt }) => ({ attemptId: attempt }), "not_found"),
      { learner: "ok" },
    ),
  ],
  "videoProcessing:processVideo": [
    ownersOnly(({ video }) => ({ videoId: video }), "study_not_configured"),
  ],
  "videos:createVideo": [
    anybody({ title: "New", url: "https://media.example/new.mp4", transcript: "x" }),
  ],
  "videos:createVideoFromUrl": [anybody({ url: "https://media.example/other.mp4" })],
  "videos:updateVideo": [ownersOnly(({ video }) => ({ videoId: video, title: "Rain" }))],
  "videos:retryFailedVideo": [ownersOnly(({ video }) => ({ videoId: video }), "conflict")],
  "videos:backfillStatuses": [operators({})],
  "videos:deleteVideo": [
    ownersOnly(({ video }) => ({ videoId: video }), "conflict"),
    ownersOnly(({ spareVideo }) => ({ videoId: spareVideo })),
  ],
};

const of = (access: string, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, access]));

const NOT_FOR_PEOPLE = {
  ...of(PIPELINE, [
    "apiKeys:issue",
    "apiKeys:verify",
    "assets:beginUpload",
    "assets:openScene",
    "assets:recordOutputs",
    "assets:sceneReady",
    "assets:sessionReady",
    "jobs:events",
    "jobs:get",
    "jobs:list",
    "ledger:cancel",
    "ledger:claim",
    "ledger:commit",
    "ledger:createJob",
    "ledger:deadLetter",
    "ledger:fail",
    "ledger:heartbeat",
    "ledger:release",
    "ledger:retry",
    "ledger:sweep",
    "transcripts:activateTranscript",
    "transcripts:appendTranscript",
    "transcripts:beginTranscript",
    "transcripts:publishOutline",
    "video:updateStatus",
    "video:updateStatusByTwitchId",
    "video:updateUrls",
    "videos:completeJob",
    "videos:updateJobError",
    "videos:updateJobProgress",
    "webhooks:claimDelivery",
    "webhooks:recordAttempt",
    "webhooks:replay",
    "webhooks:secretFor",
  ]),
  ...of(BACKEND, [
    "apiKeys:store",
    "apiKeys:withdraw",
    "assets:letGoOfRest",
    "courseDrafts:draftStep",
    "courseDrafts:giveUp",
    "courses:deleteStep",
    "ledger:releaseAll",
    "migrations:errorsBatch",
    "migrations:migrateRows",
    "migrations:scenesBatch",
    "migrations:sessionsBatch",
    "migrations:step",
    "progress:moveChapterProgress",
    "progress:forget",
    "progress:recount",
    "quizzes:submitOverdue",
    "rollups:run",
    "transcripts:indexGiven",
    "transcripts:markStale",
    "transcripts:tidy",
    "videoProcessing:processVideoInternal",
    "videoProcessing:start",
    "videoProcessing:studyEnded",
    "videoProcessing:studyInput",
    "videoProcessing:updateVideoContent",
    "videoProcessing:updateVideoStatus",
    "videos:continueDeletion",
    "videos:backfillStep",
    "videos:refuseDuplicate",
    "videos:storeVideo",
    "webhooks:forgetSecret",
    "webhooks:keepSecret",
  ]),
};

/** By the name a function is called by: its rows, `PIPELINE` or `BACKEND`. */
export const PERMISSIONS: Record<string, Row[] | string> = {
  ...READ,
  ...WRITE,
  ...NOT_FOR_PEOPLE,
};

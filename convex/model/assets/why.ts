// Why an object is kept: from its reference over what uses it to the courses that show it.
import { type Infer, getDocumentSize, v } from "convex/values";
import type { Doc, Id } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import { ASSET_USERS } from "../../tables/assets.ts";
import { type Known, owns } from "../access.ts";
import { oneOf } from "../contract.ts";
import { mayRead } from "../learning/gate.ts";

/** Uses, videos and courses that are looked at; what is beyond is said to be there. */
const MAX_LOOKED_AT = 50;
/** An item of a course may have its content with it. */
const MAX_BYTES_READ = 4 * 1024 * 1024;

const titled = v.optional(v.string());
const use = v.object({
  kind: oneOf(ASSET_USERS),
  id: v.string(),
  field: v.string(),
  /** Where an earlier version of the field is what uses it. */
  previousVersion: v.optional(v.number()),
  scene: v.optional(v.object({ id: v.id("scenes"), index: v.optional(v.number()), title: titled })),
  session: v.optional(v.object({ id: v.id("videoSessions"), title: titled })),
  jobId: v.optional(v.string()),
  video: v.optional(v.object({ id: v.id("videos"), title: v.string() })),
});
const course = v.object({
  id: v.id("courses"),
  name: v.string(),
  videoId: v.id("videos"),
});
export const whyKeptAnswer = v.object({
  referenceId: v.id("assetReferences"),
  bucket: v.string(),
  key: v.string(),
  sizeBytes: v.optional(v.number()),
  version: v.number(),
  state: oneOf(["active", "released"]),
  releasedAt: v.optional(v.number()),
  uses: v.array(use),
  /** Uses that are not for whoever asks. */
  otherUses: v.number(),
  /** Whether there are more uses than are shown. */
  usesCut: v.boolean(),
  courses: v.array(course),
  /** Courses that show it as well, and are not for whoever asks. */
  otherCourses: v.number(),
  coursesCut: v.boolean(),
  /** The same for people, a sentence a line. */
  words: v.array(v.string()),
});
export type WhyKept = Infer<typeof whyKeptAnswer>;
type Use = Infer<typeof use>;

const isUpload = (field: string): boolean => field.startsWith("uploads/");
const jobOfOutput = (field: string): string | undefined =>
  isUpload(field) ? undefined : field.split("/")[0];

/** A use with what leads on from it, and whose it is. */
const describe = async (
  ctx: QueryCtx,
  row: Doc<"assetUses">,
): Promise<{ shown: Use; ownerId: string | undefined }> => {
  const { kind, id, field } = row;
  const version = /@(\d+)$/.exec(field)?.[1];
  const shown: Use = {
    kind,
    id,
    field,
    ...(kind === "scene" && version !== undefined ? { previousVersion: Number(version) } : {}),
  };
  const sceneId = kind === "scene" ? ctx.db.normalizeId("scenes", id) : null;
  const scene = sceneId && (await ctx.db.get("scenes", sceneId));
  if (scene) {
    const { _id, index, title } = scene;
    shown.scene = {
      id: _id,
      ...(index === undefined ? {} : { index }),
      ...(title === undefined ? {} : { title }),
    };
  }
  const sessionId =
    kind === "videoSession" ? ctx.db.normalizeId("videoSessions", id) : scene?.sessionId;
  const session = sessionId && (await ctx.db.get("videoSessions", sessionId));
  if (session) {
    const { _id, title } = session;
    shown.session = { id: _id, ...(title === undefined ? {} : { title }) };
  }
  const jobId = kind === "video" ? jobOfOutput(field) : (scene?.jobId ?? session?.jobId);
  if (jobId !== undefined) shown.jobId = jobId;
  const videoId =
    kind === "video" ? ctx.db.normalizeId("videos", id) : (scene?.videoId ?? session?.videoId);
  const video = videoId && (await ctx.db.get("videos", videoId));
  if (video) shown.video = { id: video._id, title: video.title };
  return { shown, ownerId: scene?.ownerId ?? session?.ownerId ?? video?.ownerId };
};

/** Courses that show these videos, in items or in legacy chapters; each course once. */
const coursesWith = async (
  ctx: QueryCtx,
  videoIds: Iterable<Id<"videos">>,
): Promise<{ found: { course: Doc<"courses">; videoId: Id<"videos"> }[]; cut: boolean }> => {
  const found = new Map<Id<"courses">, { course: Doc<"courses">; videoId: Id<"videos"> }>();
  let looked = 0;
  let bytes = 0;
  const add = async (courseId: Id<"courses"> | undefined, videoId: Id<"videos">) => {
    const known = courseId && !found.has(courseId) && (await ctx.db.get("courses", courseId));
    if (known && known.deletingAt === undefined) found.set(known._id, { course: known, videoId });
  };
  for (const videoId of videoIds) {
    const items = ctx.db
      .query("contentItems")
      .withIndex("by_videoId", (q) => q.eq("videoId", videoId));
    const chapters = ctx.db
      .query("chapters")
      .withIndex("by_videoId", (q) => q.eq("videoId", videoId));
    for (const rows of [items, chapters]) {
      for await (const row of rows) {
        looked += 1;
        bytes += getDocumentSize(row);
        if (looked > MAX_LOOKED_AT || bytes > MAX_BYTES_READ) {
          return { found: [...found.values()], cut: true };
        }
        const chapter =
          row.courseId === undefined && "chapterId" in row
            ? await ctx.db.get("chapters", row.chapterId)
            : null;
        await add(row.courseId ?? chapter?.courseId, videoId);
      }
    }
  }
  return { found: [...found.values()], cut: false };
};

const quoted = (title: string | undefined): string => (title ? ` “${title}”` : "");

/** `videoAsset of scene 3 “A goal” of the job 01k… of the video “The match”`. */
const inWords = ({ kind, field, previousVersion, scene, session, jobId, video }: Use): string => {
  const what =
    previousVersion === undefined
      ? field
      : `${field.split("@")[0]} of the earlier version ${previousVersion}`;
  const chain = {
    scene: ` of scene ${(scene?.index ?? 0) + 1}${quoted(scene?.title)}`,
    videoSession: ` of the session${quoted(session?.title)}`,
    video: "",
  }[kind];
  const job = jobId !== undefined && kind !== "video" ? ` of the job ${jobId}` : "";
  const end = video ? ` of the video${quoted(video.title)}` : "";
  if (kind === "video" && isUpload(field)) return `It was uploaded for a job${end}.`;
  return `It is ${kind === "video" ? `the output ${what}` : what}${chain}${job}${end}.`;
};

const words = (why: Omit<WhyKept, "words">): string[] => {
  const { state, releasedAt, uses, otherUses, usesCut, courses, otherCourses, coursesCut } = why;
  if (state === "released") {
    const since = releasedAt === undefined ? "" : ` since ${new Date(releasedAt).toISOString()}`;
    return [`Nothing uses it${since}: the collector may delete it.`];
  }
  const names = courses.map(({ name }) => `“${name}”`);
  if (otherCourses > 0) names.push(`${otherCourses} of other people`);
  return [
    ...uses.map(inWords),
    ...(otherUses > 0 ? [`Other people's things use it ${otherUses} times.`] : []),
    ...(usesCut ? ["More uses it than is shown here."] : []),
    ...(names.length > 0
      ? [`Courses that show the video: ${names.join(", ")}${coursesCut ? ", and more" : ""}.`]
      : []),
  ];
};

/**
 * The chain from an object to all it is kept for, of each kind at most 50.
 * @param caller  sees the names of courses they may read
 */
export const whyKept = async (
  ctx: QueryCtx,
  caller: Known,
  reference: Doc<"assetReferences">,
): Promise<WhyKept> => {
  const rows = await ctx.db
    .query("assetUses")
    .withIndex("by_reference_and_session", (q) => q.eq("referenceId", reference._id))
    .take(MAX_LOOKED_AT + 1);
  const usesCut = rows.length > MAX_LOOKED_AT;
  const uses: Use[] = [];
  for (const row of rows.slice(0, MAX_LOOKED_AT)) {
    const { shown, ownerId } = await describe(ctx, row);
    if (caller.kind === "service" || owns(caller, ownerId)) uses.push(shown);
  }
  const videoIds = new Set(uses.flatMap(({ video }) => (video ? [video.id] : [])));
  const { found, cut } = await coursesWith(ctx, videoIds);
  const seen = found.filter(({ course: one }) => caller.kind === "service" || mayRead(caller, one));
  const { _id, bucket, key, sizeBytes, version, state, releasedAt } = reference;
  const why = {
    referenceId: _id,
    bucket,
    key,
    version,
    state,
    uses,
    otherUses: rows.length - uses.length - (usesCut ? 1 : 0),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
    ...(releasedAt === undefined ? {} : { releasedAt }),
    usesCut,
    courses: seen.map(({ course: { _id: id, name }, videoId }) => ({ id, name, videoId })),
    otherCourses: found.length - seen.length,
    coursesCut: cut,
  };
  return { ...why, words: words(why) };
};

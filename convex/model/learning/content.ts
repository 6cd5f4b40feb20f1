// What an item of each type holds: what is taken of what an author hands in, and when it is complete.
import { type ObjectType, v } from "convex/values";
import type { Doc } from "../../_generated/dataModel.js";
import type { QueryCtx } from "../../_generated/server.js";
import type { ContentType } from "../../tables/learning.ts";
import { type Person, refuse } from "../access.ts";
import { loadVideo, ownVideo } from "../library/gate.ts";
import { WEB_PROTOCOLS } from "../webAddress.ts";
import { Assignment, checkAssignment } from "./assignment.ts";
import { changed, checkName, checkUrl } from "./fields.ts";
import { Quiz, checkQuiz } from "./quiz.ts";

type Item = Doc<"contentItems">;

/** Where a resource may be. Nothing signs a `gs:` address for whoever names it. */
const RESOURCE_PROTOCOLS = [...WEB_PROTOCOLS, "gs:"];
/** A video's stated duration may be rounded by so much. */
const DURATION_SLACK_SEC = 1;

/**
 * An item's content as it is handed in; null takes a field away.
 *
 * `textContent` is HTML that instructors wrote, and is kept as it is: whoever shows it sanitises it.
 */
export const contentArgs = {
  videoId: v.optional(v.nullable(v.id("videos"))),
  startSec: v.optional(v.nullable(v.number())),
  endSec: v.optional(v.nullable(v.number())),
  textContent: v.optional(v.nullable(v.string())),
  quizData: v.optional(v.any()),
  assignmentData: v.optional(v.any()),
  resourceUrl: v.optional(v.nullable(v.string())),
  resourceTitle: v.optional(v.nullable(v.string())),
};
type ContentField = keyof typeof contentArgs;

export type GivenContent = ObjectType<typeof contentArgs>;
/** Checked content; a field that is there and undefined is taken away. */
export type Content = Partial<Pick<Item, ContentField>>;

const FIELDS_OF: Record<ContentType, readonly ContentField[]> = {
  video: ["videoId", "startSec", "endSec"],
  text: ["textContent"],
  quiz: ["quizData"],
  assignment: ["assignmentData"],
  resource: ["resourceUrl", "resourceTitle"],
};

const refuseForeignFields = (type: ContentType, given: GivenContent): void => {
  const foreign = (Object.keys(contentArgs) as ContentField[]).filter(
    (field) => given[field] !== undefined && !FIELDS_OF[type].includes(field),
  );
  if (foreign.length > 0) {
    throw refuse("invalid_request", `An item of type ${type} has no ${foreign.join(", ")}.`);
  }
};

const refuseBadPart = ({ startSec, endSec }: Content, durationSec: number | undefined): void => {
  const start = startSec ?? 0;
  const end = endSec ?? Infinity;
  const fine =
    Number.isFinite(start) &&
    start >= 0 &&
    !Number.isNaN(end) &&
    endSec !== Infinity &&
    start < end &&
    (durationSec === undefined ||
      (start < durationSec && (endSec ?? 0) <= durationSec + DURATION_SLACK_SEC));
  if (!fine) {
    throw refuse(
      "invalid_request",
      "startSec and endSec are seconds within the video, the start before the end.",
    );
  }
};

const checkVideoContent = async (
  ctx: QueryCtx,
  person: Person,
  given: GivenContent,
  current: Content,
): Promise<Content> => {
  const content: Content = {
    ...changed("videoId", given.videoId, (id) => id),
    ...changed("startSec", given.startSec, (sec) => sec),
    ...changed("endSec", given.endSec, (sec) => sec),
  };
  // What is there already stays as it is, also where its video turned out shorter since.
  if (Object.keys(content).length === 0) return content;
  const next = { ...current, ...content };
  // A video that was there already may be the owner's while an admin edits, or be gone by now.
  const video =
    next.videoId === undefined
      ? null
      : next.videoId === current.videoId
        ? await loadVideo(ctx, next.videoId)
        : await ownVideo(ctx, person, next.videoId);
  // 0 is said of what is live, or not yet known.
  refuseBadPart(next, video?.durationInSeconds || undefined);
  return content;
};

/**
 * Content as it is stored. An item may be without it as yet; what is there must be of its type.
 * @param current  the item as it is, for a change
 * @throws {ConvexError} `invalid_request`, or `not_found` for a video of somebody else
 */
export const checkContent = async (
  ctx: QueryCtx,
  person: Person,
  type: ContentType,
  given: GivenContent,
  current: Content = {},
): Promise<Content> => {
  refuseForeignFields(type, given);
  switch (type) {
    case "video":
      return checkVideoContent(ctx, person, given, current);
    case "text":
      return changed("textContent", given.textContent, (text) => text);
    case "quiz":
      return changed("quizData", given.quizData, checkQuiz);
    case "assignment":
      return changed("assignmentData", given.assignmentData, checkAssignment);
    case "resource":
      return {
        ...changed("resourceUrl", given.resourceUrl, (url) =>
          checkUrl(url, "A resource", RESOURCE_PROTOCOLS),
        ),
        ...changed("resourceTitle", given.resourceTitle, (title) =>
          checkName(title, "A resource's title"),
        ),
      };
  }
};

/** What an item still lacks before learners may see it; null when nothing. */
export const missingContent = (item: Content & Pick<Item, "type">): string | null => {
  switch (item.type) {
    case "video":
      return item.videoId === undefined ? "a video" : null;
    case "text":
      return (item.textContent ?? "").trim() === "" ? "a text" : null;
    case "quiz":
      return Quiz.safeParse(item.quizData).success ? null : "a quiz";
    case "assignment":
      return Assignment.safeParse(item.assignmentData).success ? null : "an assignment";
    case "resource":
      return item.resourceUrl === undefined ? "an address" : null;
  }
};

// Legacy scenes and sessions as years leave them behind, damaged ones among them, and what migration
// 001 must make of each: for its tests and for bench/migration.ts. (Two dots in the name keep Convex
// from deploying it; the local Convex finds it.)
import { type WithoutSystemFields } from "convex/server";
import { v } from "convex/values";
import type { Doc, Id } from "./_generated/dataModel.js";
import type { MutationCtx } from "./_generated/server.js";
import { backendMutation } from "./functions.ts";

type Scene = WithoutSystemFields<Doc<"scenes">>;
type Session = WithoutSystemFields<Doc<"videoSessions">>;

/** Where keys alone lie: `LEGACY_ASSET_BUCKET` of whoever uses these rows. */
export const LEGACY_BUCKET = "legacy-media";
const OWNER = "https://users.example|ada";

/** Rows that can be migrated, and how many objects that nobody had before each names. */
const SOUND: { objects: number; row: (key: string) => Partial<Scene> }[] = [
  { objects: 1, row: (key) => ({ s3ChunkKey: key }) },
  { objects: 1, row: (key) => ({ s3ChunkKey: key, s3ChunkUrl: `s3://media-one/${key}` }) },
  {
    objects: 1,
    row: (key) => ({ s3ChunkUrl: `https://media-one.s3.eu-west-1.amazonaws.com/${key}?X-Sig=1` }),
  },
  {
    objects: 1,
    row: (key) => ({ s3ChunkUrl: `https://s3.us-east-1.amazonaws.com/media-two/${key}` }),
  },
  { objects: 1, row: (key) => ({ s3ChunkUrl: `gs://media-two/${key}` }) },
  { objects: 1, row: (key) => ({ s3ChunkUrl: `https://storage.googleapis.com/media-two/${key}` }) },
  { objects: 1, row: (key) => ({ s3ChunkKey: key, s3ChunkUrl: `https://cdn.example/${key}` }) },
  // Never rendered.
  { objects: 0, row: () => ({}) },
];

/** Of every hundred scenes, the ones at these places cannot be migrated. */
const DAMAGED: Record<number, (key: string, goneSessionId: Id<"videoSessions">) => Partial<Scene>> =
  {
    11: () => ({ s3ChunkKey: "" }),
    23: (key) => ({ s3ChunkKey: `/../${key}` }),
    37: (key) => ({ s3ChunkKey: key, s3ChunkUrl: `s3://media-one/other/${key}` }),
    41: (key, sessionId) => ({ s3ChunkKey: key, sessionId }),
    59: () => ({ s3ChunkUrl: "javascript:alert(1)" }),
    73: (key) => ({ s3ChunkKey: key, startSec: Number.NaN, endSec: -4 }),
    97: (key) => ({ s3ChunkKey: key, assetVersion: -1 }),
  };

/** Two scenes of a hundred show one object. */
const SHARED_FROM = 64;
const SHARED_AT = 65;

const sceneKey = (i: number): string => `scenes/${i}/chunk.mp4`;

const sceneOf = (i: number, goneSessionId: Id<"videoSessions">): Partial<Scene> => {
  const place = i % 100;
  if (place === SHARED_AT) return { s3ChunkUrl: `s3://media-one/${sceneKey(i - 1)}` };
  if (place === SHARED_FROM) return { s3ChunkUrl: `s3://media-one/${sceneKey(i)}` };
  const damaged = DAMAGED[place];
  return damaged?.(sceneKey(i), goneSessionId) ?? SOUND[i % SOUND.length]!.row(sceneKey(i));
};

const sessionOf = (i: number): Partial<Session> => {
  const key = `sessions/${i}/combined.mp4`;
  switch (i % 10) {
    case 0:
    case 1:
      return {};
    case 2:
      return { s3ChunkKey: "   " };
    case 3:
      return { totalAssetSize: -1 };
    case 4:
      return { s3ChunkUrl: `gs://media-two/${key}` };
    default:
      return { s3ChunkKey: key };
  }
};

export interface Expected {
  scenes: number;
  sessions: number;
  references: number;
  errors: number;
}

/** What a run over so many rows comes to. */
export const expectedOf = (counts: { scenes: number; sessions: number }): Expected => {
  const sum: Expected = { scenes: 0, sessions: 0, references: 0, errors: 0 };
  for (let i = 0; i < counts.scenes; i += 1) {
    const place = i % 100;
    if (DAMAGED[place]) {
      sum.errors += 1;
      continue;
    }
    sum.scenes += 1;
    const isShared = place === SHARED_FROM || place === SHARED_AT;
    sum.references += isShared ? Number(place === SHARED_FROM) : SOUND[i % SOUND.length]!.objects;
  }
  for (let i = 0; i < counts.sessions; i += 1) {
    const kind = i % 10;
    if (kind === 2 || kind === 3) {
      sum.errors += 1;
      continue;
    }
    sum.sessions += 1;
    if (kind >= 4) sum.references += 1;
  }
  return sum;
};

export const insertSessions = async (
  ctx: MutationCtx,
  count: number,
): Promise<{ sessionIds: Id<"videoSessions">[]; goneSessionId: Id<"videoSessions"> }> => {
  const sessionIds: Id<"videoSessions">[] = [];
  for (let i = 0; i < count; i += 1) {
    const row = { ownerId: OWNER, title: `Session ${i}`, ...sessionOf(i) };
    sessionIds.push(await ctx.db.insert("videoSessions", row));
  }
  const goneSessionId = await ctx.db.insert("videoSessions", {});
  await ctx.db.delete("videoSessions", goneSessionId);
  return { sessionIds, goneSessionId };
};

export const insertScenes = async (
  ctx: MutationCtx,
  sessions: Awaited<ReturnType<typeof insertSessions>>,
  from: number,
  to: number,
): Promise<void> => {
  const { sessionIds, goneSessionId } = sessions;
  for (let i = from; i < to; i += 1) {
    const sessionId = sessionIds[i % sessionIds.length]!;
    await ctx.db.insert("scenes", {
      ownerId: OWNER,
      sessionId,
      index: i,
      startSec: i,
      endSec: i + 8,
      ...sceneOf(i, goneSessionId),
    });
  }
};

/** Mends every second damaged row, by where its object is: what a person would do after a run. */
export const mendRows = async (ctx: MutationCtx, limit: number): Promise<number> => {
  const broken = await ctx.db.query("migrationErrors").take(limit);
  let mended = 0;
  for (const { table, rowId } of broken.filter((_, i) => i % 2 === 0)) {
    const location = { s3ChunkKey: `mended/${rowId}.mp4`, s3ChunkUrl: undefined };
    mended += 1;
    if (table === "scenes") {
      const id = ctx.db.normalizeId("scenes", rowId)!;
      const cleared = { sessionId: undefined, startSec: 0, endSec: 8, assetVersion: undefined };
      await ctx.db.patch("scenes", id, { ...location, ...cleared });
    } else {
      const id = ctx.db.normalizeId("videoSessions", rowId)!;
      await ctx.db.patch("videoSessions", id, { ...location, totalAssetSize: undefined });
    }
  }
  return mended;
};

const sessions = v.object({
  sessionIds: v.array(v.id("videoSessions")),
  goneSessionId: v.id("videoSessions"),
});

export const seedSessions = backendMutation({
  args: { count: v.number() },
  returns: sessions,
  handler: (ctx, { count }) => insertSessions(ctx, count),
});

export const seedScenes = backendMutation({
  args: { sessions, from: v.number(), to: v.number() },
  returns: v.null(),
  handler: async (ctx, { sessions: given, from, to }) => {
    await insertScenes(ctx, given, from, to);
    return null;
  },
});

export const mend = backendMutation({
  args: { limit: v.number() },
  returns: v.number(),
  handler: (ctx, { limit }) => mendRows(ctx, limit),
});

// The whole local cloud on a disk that becomes full: a small file system in memory, which takes root to
// mount. What was said is there afterwards, and what was not said to be is not half there.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, rmdirSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PubSub } from "@google-cloud/pubsub";
import { Storage } from "@google-cloud/storage";
import { ConvexHttpClient } from "convex/browser";
import { afterEach, beforeEach, expect, it } from "vitest";
import { api } from "#convex/_generated/api.js";
import { type LocalCloud, startCloud } from "./cloud.ts";

const SIZE_MIB = 24;
const mayMount = process.platform === "linux" && process.getuid?.() === 0;

let disk: string;
let cloud: LocalCloud | undefined;
beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), "full-disk-"));
  if (mayMount) execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE_MIB}m`, "tmpfs", disk]);
});
afterEach(async () => {
  await cloud?.close();
  cloud = undefined;
  if (mayMount) execFileSync("umount", [disk]);
  rmdirSync(disk);
});

const filler = (): string => join(disk, "filler");
/** Takes all the room that is left. */
const fill = (): void => {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(filler(), Buffer.alloc(bavail * bsize));
};

it.skipIf(!mayMount)(
  "a full disk (root mounts a small one): calls fail with a sentence, and go on with room",
  async () => {
    const dataDir = join(disk, "data");
    cloud = await startCloud({ dataDir });
    const storage = new Storage({ projectId: cloud.projectId, apiEndpoint: cloud.storageOrigin });
    const bucket = storage.bucket(cloud.bucket);
    const token = await cloud.personToken({ name: "ada", role: "instructor" });
    const options = { logger: false as const, auth: token };
    const convex = new ConvexHttpClient(cloud.convexUrl, options);
    const create = (title: string) =>
      convex.mutation(api.courses.createCourse, { name: title, description: "x".repeat(900) });
    const pubsub = new PubSub({
      projectId: cloud.projectId,
      apiEndpoint: cloud.pubsubAddress,
      emulatorMode: true,
    });
    await pubsub.createTopic("held");
    const [subscription] = await pubsub.topic("held").createSubscription("held");
    const topic = pubsub.topic("held", { batching: { maxMessages: 1 } });

    await create("before");
    await bucket.file("before").save("said to be there", { resumable: false });
    await topic.publishMessage({ data: Buffer.from("before") });
    fill();

    const full = `The disk that holds ${dataDir}`;
    const large = Buffer.alloc(1024 ** 2, 1);
    await expect(bucket.file("large").save(large, { resumable: false })).rejects.toThrow(full);
    // A few still fit into what SQLite has taken of the disk already.
    const told: string[] = [];
    const refused = async (): Promise<unknown> => {
      for (;;) {
        const title = `course ${told.length}`;
        try {
          await create(title);
        } catch (error) {
          return error;
        }
        told.push(title);
      }
    };
    expect(String(await refused())).toContain(full);
    // Its client tries again by itself until there is room.
    const published = topic.publishMessage({ data: Buffer.alloc(100_000, "x") });
    expect((await bucket.file("before").download())[0].toString()).toBe("said to be there");

    rmSync(filler());
    await published;
    await create("after");
    await bucket.file("large").save(large, { resumable: false });
    const { page } = await convex.query(api.courses.listCourses, {
      paginationOpts: { numItems: 1000, cursor: null },
    });
    const names = page.map(({ name }) => name).sort();
    expect(names).toEqual(["after", "before", ...told].sort());
    expect((await bucket.getFiles())[0].map(({ name }) => name)).toEqual(["before", "large"]);
    const received: string[] = [];
    await new Promise<void>((resolve) => {
      subscription.on("message", (message) => {
        message.ack();
        received.push(message.data.toString().slice(0, 6));
        if (received.length === 2) resolve();
      });
    });
    expect(received.sort()).toEqual(["before", "xxxxxx"]);
    await subscription.close();
    await pubsub.close();
    await cloud.close();
    cloud = undefined;
    fill();
    await expect(startCloud({ dataDir })).rejects.toThrow(/is full\.$/);
  },
);

// Many writers of one object, each only over the generation it has read, while the server is killed:
// a number that all of them count up is as high as they were told, and not higher than they tried.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { type StorageProcess, startStorageProcess } from "./testing/storageProcess.ts";

const KILLS = 8;
const WRITERS = 6;

it("a number counted up over its generations loses nothing and counts nothing twice", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "klipstream-killed-"));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  let server: StorageProcess = await startStorageProcess(dataDir);
  onTestFinished(() => server.kill());
  const { origin } = server;
  const port = Number(new URL(origin).port);
  const object = `${origin}/storage/v1/b/media/o/count`;
  let acknowledged = 0;
  let unanswered = 0;
  let refused = 0;
  /** That anybody was told. */
  let highest = 0;
  const over = new AbortController();

  const read = async (): Promise<{ count: number; generation: number }> => {
    const response = await fetch(`${object}?alt=media`);
    const generation = Number(response.headers.get("x-goog-generation") ?? 0);
    const body = await response.text();
    return response.ok ? { count: Number(body), generation } : { count: 0, generation: 0 };
  };
  const write = (count: number, generation: number, isResumable: boolean): Promise<Response> => {
    const query = `name=count&ifGenerationMatch=${generation}`;
    const url = `${origin}/upload/storage/v1/b/media/o?${query}`;
    const body = String(count);
    if (!isResumable) return fetch(`${url}&uploadType=media`, { method: "POST", body });
    return fetch(`${url}&uploadType=resumable`, { method: "POST" }).then((begun) =>
      begun.ok ? fetch(begun.headers.get("location") ?? "", { method: "PUT", body }) : begun,
    );
  };
  const countUp = async (_: unknown, writer: number): Promise<void> => {
    while (!over.signal.aborted) {
      let isSent = false;
      try {
        const told = highest;
        const { count, generation } = await read();
        expect(count).toBeGreaterThanOrEqual(told);
        isSent = true;
        const response = await write(count + 1, generation, writer % 2 === 0);
        await response.arrayBuffer();
        if (response.ok) {
          acknowledged += 1;
          highest = Math.max(highest, count + 1);
        } else {
          expect(response.status).toBe(412);
          refused += 1;
        }
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        if (isSent) unanswered += 1;
        await delay(10);
      }
    }
  };
  const acknowledges = async (more: number): Promise<void> => {
    const enough = acknowledged + more;
    for (;;) {
      if (acknowledged >= enough) return;
      await delay(1);
    }
  };
  const killing = async (): Promise<void> => {
    for (let kill = 0; kill < KILLS; kill += 1) {
      // A different moment each time, and never before something was done.
      await acknowledges(5 + 3 * kill);
      await server.kill();
      server = await startStorageProcess(dataDir, port);
    }
    over.abort();
  };
  await Promise.all([killing(), ...Array.from({ length: WRITERS }, countUp)]);
  const { count } = await read();
  expect(count).toBeGreaterThanOrEqual(acknowledged);
  expect(count).toBeLessThanOrEqual(acknowledged + unanswered);
  // Or they have not raced, and nothing was cut off.
  expect(Math.min(refused, unanswered)).toBeGreaterThan(0);
});

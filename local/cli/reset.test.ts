// What `npm run reset` deletes, and what it leaves alone.
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { mutationGeneric } from "convex/server";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openDataFolder } from "../cloud/dataFolder.ts";
import { openDatabase } from "../convex/engine/format.ts";
import { createEngineRuntime } from "../convex/engineRuntime.ts";
import { main } from "./reset.ts";

let folder: string;
let out: string;
let err: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "reset-"));
  [out, err] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => Boolean((out += String(text))));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean((err += String(text))));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const fill = mutationGeneric({
  args: {},
  handler: async (ctx) => {
    await ctx.db.insert("videos", {});
    for (const admission of ["running", "waiting", "ended"])
      await ctx.db.insert("jobs", { admission });
  },
});
/** One video, three jobs and a stored object. */
const makeState = async (): Promise<void> => {
  openDataFolder(folder).release();
  const db = openDatabase(folder);
  const modules = { "./library.ts": () => Promise.resolve({ fill }) };
  const runtime = createEngineRuntime({ db, modules });
  await runtime.runMutation({ path: "library:fill", args: {} }, null);
  runtime.close();
  db.close();
  await mkdir(join(folder, "storage"));
  await writeFile(join(folder, "storage", "object"), Buffer.alloc(3 * 1024 ** 2));
};
const run = (...options: string[]): Promise<number> => main(["--data", folder, ...options]);

it("--help tells all of it", async () => {
  expect(await main(["--help"])).toBe(0);
  expect(out).toContain("--yes");
});

it("says what is there, and deletes it", async () => {
  await makeState();
  expect(await run("--yes")).toBe(0);
  expect(err).toMatch(/: 3\.\d MiB, 1 video, 3 jobs \(2 not ended\)\n/);
  expect(existsSync(folder)).toBe(false);
  expect(await run("--yes")).toBe(0);
  expect(out).toContain(`There is no state in ${folder}.`);
});

it("leaves what is not ours", async () => {
  await makeState();
  await writeFile(join(folder, "letter.txt"), "");
  expect(await run("--yes")).toBe(0);
  expect(out).toContain("What is not ours stays: letter.txt.");
  expect(readdirSync(folder)).toEqual(["letter.txt"]);
});

it("empties a folder that a link leads to, and leaves the link", async () => {
  await makeState();
  const link = `${folder}-link`;
  await symlink(folder, link);
  try {
    expect(await main(["--data", link, "--yes"])).toBe(0);
  } finally {
    await rm(link);
  }
  expect(readdirSync(folder)).toEqual([]);
});

it("deletes what is there though its database cannot be opened", async () => {
  await makeState();
  await rm(join(folder, "convex.sqlite"));
  await mkdir(join(folder, "convex.sqlite"));
  expect(await run("--yes")).toBe(0);
  expect(err).toMatch(/: 3(?:\.\d)? MiB\n/);
});

it("deletes nothing in a folder without our mark, whatever the names in it", async () => {
  await mkdir(join(folder, "storage"));
  await writeFile(join(folder, "letter.txt"), "");
  expect(await run("--yes")).toBe(1);
  expect(err).toContain("no data folder of KlipStream; nothing was deleted");
  expect(readdirSync(folder).sort()).toEqual(["letter.txt", "storage"]);
});

it("deletes nothing while a process works there, and says which", async () => {
  await makeState();
  const held = openDataFolder(folder);
  expect(await run("--yes")).toBe(1);
  held.release();
  expect(err).toContain(`(process ${process.pid}) works in ${folder}`);
  expect(existsSync(join(folder, "convex.sqlite"))).toBe(true);
});

it("deletes nothing where nobody can be asked", async () => {
  await makeState();
  vi.spyOn(process, "stdin", "get").mockReturnValue({ isTTY: false } as typeof process.stdin);
  expect(await run()).toBe(2);
  expect(existsSync(join(folder, "convex.sqlite"))).toBe(true);
});

it.each([
  ["Ctrl-D", "\u0004"],
  ["Ctrl-C", "\u0003"],
  ["an empty line", "\n"],
  ["another word", "yesterday\n"],
])("takes %s for a no", async (_name, answer) => {
  await makeState();
  const stdin = new PassThrough();
  const terminal = { isTTY: true, setRawMode: () => stdin };
  vi.spyOn(process, "stdin", "get").mockReturnValue(
    Object.assign(stdin, terminal) as unknown as typeof process.stdin,
  );
  const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  vi.spyOn(process, "stderr", "get").mockReturnValue(stderr as unknown as typeof process.stderr);
  stdin.write(answer);
  expect(await run()).toBe(1);
  expect(String(stderr.read())).toMatch(/Nothing was deleted\.\n$/);
  expect(existsSync(join(folder, "convex.sqlite"))).toBe(true);
});

// The thread that runs Convex's functions: loaded, replaced by newer code, lost and started again.
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { expect, it, onTestFinished } from "vitest";
import { runtimeNamedIn } from "./runtime.ts";
import { startConvexThread } from "./thread.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

const isEngine = runtimeNamedIn(process.env) === "engine";

it("runs a folder of functions with an environment of their own, and stops", async () => {
  const convex = await startConvexThread({
    folder: fileURLToPath(new URL("testProject", import.meta.url)),
    env: { TEST_GREETING: "from the thread" },
  });
  const environment = makeFunctionReference<"query">("counters:environment");
  const client = new ConvexHttpClient(convex.url, { logger: false });
  expect(await client.query(environment, {})).toBe("from the thread");
  expect(process.env["TEST_GREETING"]).toBeUndefined();
  await convex.close();
  await expect(client.query(environment, {})).rejects.toThrow("fetch failed");
});

it("says why functions or their data cannot be loaded", async () => {
  const folder = await mkdtemp(join(tmpdir(), "convex-"));
  await writeFile(join(folder, "schema.ts"), "export const nothing = 1;");
  const reason = () =>
    startConvexThread({ folder, env: {}, dataDir: folder }).then(
      () => "",
      (error: Error) => (error.cause as Error).message,
    );
  expect(await reason()).toContain("has no schema");
  await rm(join(folder, "schema.ts"));
  if (isEngine) {
    await writeFile(join(folder, "convex.sqlite"), "no database");
    expect(await reason()).toMatch(
      /^\S+convex\.sqlite cannot be read[^\n]*\n  because: file is not a database$/,
    );
  }
  await rm(folder, { recursive: true });
});

/** A folder of functions that can be changed; what it imports is found. */
const newProject = async (): Promise<{
  root: string;
  write(name: string, text: string): Promise<void>;
}> => {
  const root = await mkdtemp(join(tmpdir(), "convex-project-"));
  onTestFinished(() => rm(root, { recursive: true }));
  await mkdir(join(root, "convex"));
  await writeFile(join(root, "package.json"), '{"type":"module"}');
  await symlink(join(PROJECT, "node_modules"), join(root, "node_modules"));
  return { root, write: (name, text) => writeFile(join(root, "convex", name), text) };
};

it("gives up a module that computes for ever where it is loaded", async () => {
  const { root, write } = await newProject();
  await write("loop.ts", "for (;;);");
  const folder = join(root, "convex");
  const started = startConvexThread({
    folder,
    env: {},
    dataDir: root,
    isWhole: true,
    maxLoadingMs: 500,
  });
  await expect(started).rejects.toMatchObject({
    cause: { message: expect.stringContaining("were not loaded after 0.5 s") as string },
  });
});

const schemaWith = (type: string) => `
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";
export default defineSchema({ words: defineTable({ word: ${type} }) });
`;
const functionsSaying = (greeting: string) => `
import { mutationGeneric, queryGeneric } from "convex/server";
export const say = queryGeneric(async (ctx) =>
  ["${greeting}", ...(await ctx.db.query("words").collect()).map(({ word }) => word)].join(" "));
export const add = mutationGeneric(async (ctx, { word }) => void (await ctx.db.insert("words", { word })));
`;

it.skipIf(!isEngine)(
  "takes up changed functions under live clients; what does not load or fit leaves the old ones (needs the engine: convex-test forgets)",
  async () => {
    const { root, write } = await newProject();
    await write("schema.ts", schemaWith("v.string()"));
    await write("words.ts", functionsSaying("one"));
    const convex = await startConvexThread({
      folder: join(root, "convex"),
      env: {},
      dataDir: join(root, "data"),
      isWhole: true,
    });
    onTestFinished(() => convex.close());
    const client = new ConvexClient(convex.url, { logger: false });
    onTestFinished(() => client.close());
    const heard = new Map<string, () => void>();
    const hears = (text: string) => new Promise<void>((resolve) => heard.set(text, resolve));
    const say = makeFunctionReference<"query">("words:say");
    const first = hears("one");
    client.onUpdate(say, {}, (text: string) => heard.get(text)?.());
    await first;
    const http = new ConvexHttpClient(convex.url, { logger: false });
    const add = (word: string) =>
      http.mutation(makeFunctionReference<"mutation">("words:add"), { word });
    await add("kept");

    const second = hears("two kept");
    await write("words.ts", functionsSaying("two"));
    await convex.reload();
    expect(await http.query(say, {})).toBe("two kept");
    await second;

    await write("words.ts", "export const say = (;");
    await expect(convex.reload()).rejects.toThrow(/words\.ts[\s\S]*SyntaxError/);
    await write("words.ts", functionsSaying("three"));
    await write("schema.ts", schemaWith("v.number()"));
    await expect(convex.reload()).rejects.toThrow("does not match the schema");
    await add("on");
    expect(await http.query(say, {})).toBe("two kept on");

    await write("schema.ts", schemaWith("v.any()"));
    await convex.reload();
    expect(await http.query(say, {})).toBe("three kept on");
  },
);

/** Ways of a function to take its thread with it. */
const BREAKING = `
import { actionGeneric, makeFunctionReference, mutationGeneric, queryGeneric } from "convex/server";
export const rows = queryGeneric(async (ctx) => (await ctx.db.query("rows").collect()).length);
export const add = mutationGeneric(async (ctx) => void (await ctx.db.insert("rows", {})));
export const exit = actionGeneric(async () => process.exit(3));
export const late = actionGeneric(async () => {
  setTimeout(() => { throw new Error("late"); }, 1);
  await new Promise((resolve) => setTimeout(resolve, 2));
});
export const compute = actionGeneric(async () => { for (;;); });
export const exitMutation = mutationGeneric(async (ctx) => {
  await ctx.db.insert("rows", {});
  process.exit(3);
});
export const exitLater = mutationGeneric(async (ctx) =>
  ctx.scheduler.runAfter(0, makeFunctionReference("breaking:exitMutation"), {}));
export const jobs = queryGeneric(async (ctx) =>
  (await ctx.db.system.query("_scheduled_functions").collect()).map(({ state }) => state.kind).join());
`;
const breaking = async (options: { maxComputingMs?: number } = {}) => {
  const { root, write } = await newProject();
  await write("breaking.ts", BREAKING);
  const convex = await startConvexThread({
    folder: join(root, "convex"),
    env: {},
    dataDir: join(root, "data"),
    ...options,
  });
  onTestFinished(() => convex.close());
  const client = new ConvexClient(convex.url, { logger: false });
  onTestFinished(() => client.close());
  return {
    convex,
    client,
    write,
    add: () => client.mutation(makeFunctionReference<"mutation">("breaking:add"), {}),
    rows: () => client.query(makeFunctionReference<"query">("breaking:rows"), {}),
    begin: (name: string) =>
      void client.action(makeFunctionReference<"action">(`breaking:${name}`), {}).catch(() => {}),
  };
};

it.skipIf(!isEngine)("is started again over the same data where a function ended it", async () => {
  const { add, rows, begin } = await breaking();
  await add();
  begin("exit");
  await add();
  expect(await rows()).toBe(2);
});

it.skipIf(!isEngine)("is started again where a function computes for ever", async () => {
  const { add, rows, begin } = await breaking({ maxComputingMs: 1_000 });
  await add();
  begin("compute");
  await add();
  expect(await rows()).toBe(2);
});

it.skipIf(!isEngine)(
  "does not run again and again what is scheduled and takes it with it; new code may",
  async () => {
    const { convex, client, write, add, rows } = await breaking();
    const mutation = (name: string) =>
      client.mutation(makeFunctionReference<"mutation">(`breaking:${name}`), {});
    await mutation("exitLater");
    await new Promise<void>((resolve) =>
      client.onUpdate(makeFunctionReference<"query">("breaking:jobs"), {}, (states: string) =>
        states === "failed" ? resolve() : undefined,
      ),
    );
    await add();
    expect(await rows()).toBe(1);
    await expect(mutation("exitMutation")).rejects.toThrow("until the code changes");
    await write("breaking.ts", BREAKING.replaceAll("process.exit(3)", "undefined"));
    await convex.reload();
    await mutation("exitMutation");
    expect(await rows()).toBe(2);
  },
);

it("goes on where a function left a timer that throws", async () => {
  const { convex } = await breaking();
  const http = new ConvexHttpClient(convex.url, { logger: false });
  expect(await http.action(makeFunctionReference<"action">("breaking:late"), {})).toBeNull();
});

it.skipIf(!isEngine)(
  "takes up new code though a function of the old computes for ever",
  async () => {
    const { convex, add, rows, begin } = await breaking();
    await add();
    begin("compute");
    await convex.reload();
    expect(await rows()).toBe(1);
  },
);

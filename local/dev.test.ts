// What is loaded anew when a file changes, in a project made for it, with a cloud that only listens.
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { partsOf, startDev } from "./dev.ts";

let root: string;
let reports: string[];
let reloads: string[];
let failConvex: string | undefined;
let told: () => void;
let dev: { close(): Promise<void> };

const write = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
};
/** @returns the reports that come of it, up to the one awaited */
const after = async (change: () => Promise<unknown>, last: RegExp): Promise<string[]> => {
  const before = reports.length;
  const done = new Promise<void>((resolve) => {
    told = () => {
      if (last.test(reports.at(-1) ?? "")) resolve();
    };
  });
  await change();
  await done;
  return reports.slice(before);
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "dev-"));
  await write("functions/main.ts", 'import "../shared/tool.ts";');
  await write("shared/tool.ts", "export const tool: number = 1;");
  await write("shared/contract/words.ts", "export const words = 1;");
  await write("convex/videos.ts", "export const videos = 1;");
  [reports, reloads, failConvex] = [[], [], undefined];
  dev = startDev({
    root,
    cloud: {
      reloadFunctions: () => {
        reloads.push("functions");
        return 1;
      },
      reloadConvex: () => {
        reloads.push("convex");
        return failConvex === undefined ? Promise.resolve() : Promise.reject(new Error(failConvex));
      },
    },
    report: (sentence) => {
      reports.push(sentence);
      told();
    },
    settleMs: 150,
  });
});
afterEach(async () => {
  await dev.close();
  await rm(root, { recursive: true });
});

it.each([
  ["functions/media.ts", ["functions"]],
  ["shared/media/clip.ts", ["functions"]],
  ["shared/contract/stages.ts", ["functions", "convex"]],
  ["convex/model/view.ts", ["convex"]],
  ["convex/_generated/api.js", []],
  ["convex/ledger.test.ts", []],
  ["convex/world.setup.ts", []],
  ["shared/media/.clip.ts.swp", []],
  ["functions/notes.md", []],
])("%s concerns %j", (path, parts) => {
  expect(partsOf(path)).toEqual(parts);
});

it("takes up what was saved together at once, Convex before the functions that call it", async () => {
  const lines = await after(async () => {
    await write("convex/videos.ts", "export const videos = 2;");
    await write("shared/tool.ts", "export const tool = 2;");
    // As editors save.
    await write("shared/words.new", "export const words = 2;");
    await rename(join(root, "shared/words.new"), join(root, "shared/contract/words.ts"));
  }, /functions load them anew/);
  expect(reloads).toEqual(["convex", "functions"]);
  expect(lines).toEqual([
    expect.stringMatching(
      /^convex\/videos\.ts, shared\/contract\/words\.ts: Convex has loaded them/,
    ),
    "shared/contract/words.ts, shared/tool.ts: functions load them anew (1 instance told to end).",
  ]);
});

it("hears of a file again whose place another took, and of one in a folder that is new", async () => {
  const save = async (text: string) => {
    await write("shared/.tool.new", text);
    await rename(join(root, "shared/.tool.new"), join(root, "shared/tool.ts"));
  };
  await after(() => save("export const tool = 2;"), /^shared\/tool\.ts: functions/);
  await after(() => save("export const tool = 3;"), /^shared\/tool\.ts: functions/);
  await after(() => write("shared/tool.ts", "export const tool = 4;"), /^shared\/tool\.ts: /);

  const inNew = () => write("convex/model/deep/view.ts", "export const view = 1;");
  await after(inNew, /^convex\/model\/deep\/view\.ts: Convex/);
  await after(inNew, /^convex\/model\/deep\/view\.ts: Convex/);
  const gone = () => rm(join(root, "convex/model"), { recursive: true });
  await after(gone, /^convex\/model\/deep\/view\.ts: Convex/);
  await after(inNew, /^convex\/model\/deep\/view\.ts: Convex/);
  const [functions, convex] = ["functions", "convex"].map((part) =>
    reloads.filter((one) => one === part),
  );
  expect([functions?.length, convex?.length]).toEqual([3, 4]);
});

it("says where code does not load, and leaves the old one at work", async () => {
  const [syntax] = await after(() => write("shared/tool.ts", "export const tool = (;"), /goes on/);
  expect(syntax).toMatch(
    /^shared\/tool\.ts: what runs goes on with the old code, and nothing new starts\.[\s\S]*shared\/tool\.ts:1:21/,
  );
  const missing = 'import "../shared/gone.ts";';
  const [gone] = await after(() => write("functions/main.ts", missing), /goes on/);
  expect(gone).toContain('Could not resolve "../shared/gone.ts"');
  expect(reloads).toEqual([]);

  failConvex = "Document k1 in table videos does not match the schema";
  const [refused] = await after(() => write("convex/videos.ts", "export {};"), /goes on/);
  expect(refused).toBe(`convex/videos.ts: the old code goes on.\n${failConvex}`);
});

// Whose a folder is and of which version, in folders made for it.
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WrongFolder, openDataFolder } from "./dataFolder.ts";
import { FolderInUse, isLocked } from "./lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "data-folder-"));
});
afterEach(() => rm(folder, { recursive: true }));

const version = async (): Promise<unknown> =>
  JSON.parse(await readFile(join(folder, "version.json"), "utf8"));
const openAndClose = (...rest: Parameters<typeof openDataFolder>) =>
  openDataFolder(...rest).release();

/** Of the version before there were versions. */
const makeOld = async (): Promise<void> => {
  await writeFile(join(folder, "lock.db"), "");
  await mkdir(join(folder, "pubsub"));
};

describe("version", () => {
  it("new folder -> this version, no step run", async () => {
    openAndClose(folder, [() => expect.unreachable()]);
    expect(await version()).toEqual({ format: 1 });
  });

  it("none written -> every step in turn", async () => {
    await makeOld();
    const ran: string[] = [];
    openAndClose(folder, [() => ran.push("first"), () => ran.push("second")]);
    expect(ran).toEqual(["first", "second"]);
    expect(await version()).toEqual({ format: 2 });
  });

  it("cut off in a step -> goes on with that step", async () => {
    await makeOld();
    const cut = () => {
      throw new Error("cut off");
    };
    expect(() => openDataFolder(folder, [() => undefined, cut])).toThrow("cut off");
    expect(isLocked(folder)).toBe(false);
    const ran: string[] = [];
    openAndClose(folder, [() => ran.push("first"), () => ran.push("second")]);
    expect(ran).toEqual(["second"]);
  });

  it.each([
    ["a later one", '{"format":9}', /later version of KlipStream \(format 9; this one knows 1\)/],
    ["no JSON", "{", /version\.json is damaged/],
  ])("%s -> refused, nothing changed", async (_name, text, sentence) => {
    await writeFile(join(folder, "version.json"), text);
    expect(() => openDataFolder(folder)).toThrow(sentence);
    expect(await readFile(join(folder, "version.json"), "utf8")).toBe(text);
  });
});

describe("whose it is", () => {
  it("somebody else's -> refused, and nothing made in it", async () => {
    await writeFile(join(folder, "letter.txt"), "");
    await mkdir(join(folder, "tmp"));
    expect(() => openDataFolder(folder)).toThrow(WrongFolder);
    expect(readdirSync(folder).sort()).toEqual(["letter.txt", "tmp"]);
  });

  it("only what the demo makes before the service starts -> taken", async () => {
    await mkdir(join(folder, "sample"));
    openAndClose(folder);
    expect(existsSync(join(folder, "version.json"))).toBe(true);
  });

  it("held -> refused with who holds it and where that is", async () => {
    const held = openDataFolder(folder);
    await writeFile(join(folder, "running.json"), '{"origin":"http://127.0.0.1:8080"}');
    const sentence = `(process ${process.pid}) works in ${folder}, at http://127.0.0.1:8080.`;
    expect(() => openDataFolder(folder)).toThrow(
      expect.objectContaining({
        name: FolderInUse.name,
        message: expect.stringContaining(sentence) as string,
      }) as Error,
    );
    held.release();
    openAndClose(folder);
  });
});

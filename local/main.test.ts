// What `npm start` says when it cannot start: a sentence, nothing of a stack, and exit status 1.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { lockFolder } from "./cloud/lock.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

const start = (
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: unknown; stderr: string }> =>
  new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: 30_000 };
    execFile(process.execPath, [MAIN, ...args], options, (error, _stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stderr }),
    );
  });

const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "main-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
};

it("names every bad variable at once", async () => {
  const bad = {
    RANGE_SEC: "soon",
    MAX_RUNNING_JOBS: "0",
    SPEECH_PROVIDER: "magic",
    OPENAI_BASE_URL: "not a url",
  };
  const { code, stderr } = await start(["--data", await newFolder(), "--port", "0"], bad);
  expect(code).toBe(1);
  for (const name of Object.keys(bad)) expect(stderr).toMatch(new RegExp(`^  ${name}: .+`, "m"));
  expect(stderr).not.toContain("    at ");
});

it("says that FFmpeg is not where it was said to be", async () => {
  const args = ["--data", await newFolder(), "--port", "0"];
  const { code, stderr } = await start(args, { FFMPEG_PATH: "/nowhere/ffmpeg" });
  expect([code, stderr]).toEqual([1, expect.stringContaining("/nowhere/ffmpeg")]);
});

it.each([
  [["--port", "99999"], "--port 99999: a port is a number from 0 to 65535\n"],
  [["--port="], "--port '': a port is a number from 0 to 65535\n"],
  [["--data="], "--data '': a folder has a name\n"],
])("refuses %j before it starts anything", async (args, sentence) => {
  expect(await start(args)).toEqual({ code: 2, stderr: expect.stringContaining(sentence) });
});

it("says that the port is taken", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await start(["--data", await newFolder(), "--port", String(port)]);
  expect([code, stderr]).toEqual([1, `Port ${port} is in use; choose another with --port.\n`]);
});

it("says that the folder is another's", async () => {
  const folder = await newFolder();
  const lock = lockFolder(folder);
  onTestFinished(() => lock.release());
  const { code, stderr } = await start(["--data", folder, "--port", "0"]);
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining(`(process ${process.pid}) works in ${folder}.\n`),
  ]);
});

it("says that the folder cannot be written to", async () => {
  const file = join(await newFolder(), "file");
  await writeFile(file, "");
  const { code, stderr } = await start(["--data", join(file, "data"), "--port", "0"]);
  expect(code).toBe(1);
  expect(stderr).toContain(`The data folder ${join(file, "data")} cannot be written to.`);
  expect(stderr).not.toContain("    at ");
});

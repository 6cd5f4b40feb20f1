import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { StageError } from "../contract/errors.ts";
import { checkExit, type Ffmpeg, findFfmpeg, runFfmpeg, startFfmpeg } from "./ffmpeg.ts";
import { scratch } from "./testing.ts";

let ffmpeg: Ffmpeg;
beforeAll(async () => {
  ffmpeg = await findFfmpeg();
});

/** A program of the test's own in ffmpeg's place. */
const script = async (body: string): Promise<Ffmpeg> => {
  const path = join(await scratch(), "ffmpeg");
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return { path, version: "test" };
};

/** Whether a process runs; one that has ended but was not yet collected does not. */
const isAlive = async (pid: number): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/^\d+ \(.*\) [ZX]/.test(stat);
};

describe("finding ffmpeg", () => {
  it("takes FFMPEG_PATH first, then PATH, then the one that npm brought", async () => {
    const folder = await scratch();
    const link = join(folder, "ffmpeg");
    await symlink(ffmpeg.path, link);
    expect((await findFfmpeg({ PATH: `/nowhere:${folder}` })).path).toBe(link);
    expect((await findFfmpeg({ PATH: folder, FFMPEG_PATH: ffmpeg.path })).path).toBe(ffmpeg.path);
    expect(ffmpeg.version).toMatch(/^\w?\d/);
  });

  it("says so where it does not run", async () => {
    const { path } = await script("echo I am something else");
    const error: unknown = await findFfmpeg({ FFMPEG_PATH: path }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(StageError);
    expect(String(error)).toContain(`FFmpeg cannot be run: ${path}`);
    await expect(findFfmpeg({ FFMPEG_PATH: "/nowhere/ffmpeg" })).rejects.toThrow("/nowhere/ffmpeg");
  });
});

describe("a run of ffmpeg", () => {
  it("hands the arguments over as they are, and nothing of our environment", async () => {
    const said = await script('printf "%s|" "$@"; env');
    const starts: (readonly string[])[] = [];
    process.env["KLIP_TEST_SECRET"] = "hush";
    const child = startFfmpeg({ ...said, onStart: (args) => starts.push(args) }, [
      "-i",
      "a b;$(touch x) '\"",
      "*",
    ]);
    const out = Buffer.concat(await child.stdout.toArray()).toString();
    delete process.env["KLIP_TEST_SECRET"];
    await child.exited;
    expect(out).toContain(`-nostdin|-hide_banner|-loglevel|error|-i|a b;$(touch x) '"|*|`);
    expect(out).not.toContain("hush");
    expect(starts).toEqual([["-i", "a b;$(touch x) '\"", "*"]]);
  });

  it("keeps the last 8 KiB of its messages", async () => {
    const noisy = await script(
      "i=0; while [ $i -lt 2000 ]; do echo message $i >&2; i=$((i+1)); done; exit 3",
    );
    const child = startFfmpeg(noisy, []);
    child.stdout.resume();
    const exit = await child.exited;
    expect(exit.code).toBe(3);
    expect(exit.stderr).toHaveLength(8192);
    expect(exit.stderr).toMatch(/message 1999\n$/);
  });

  it("that takes too long is ended together with its children", async () => {
    const slow = await script("sleep 600 & echo $!; wait");
    const child = startFfmpeg(slow, [], { timeoutMs: 500 });
    const pid = Number(Buffer.concat(await child.stdout.toArray()).toString());
    await expect(child.exited).rejects.toMatchObject({ code: "stage_timeout" });
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it("is ended by an abort, with the abort's reason; not started after one", async () => {
    const stop = new AbortController();
    const child = startFfmpeg(ffmpeg, ["-f", "s16le", "-i", "/dev/zero", "-f", "s16le", "pipe:1"], {
      signal: stop.signal,
    });
    child.stdout.once("data", () => stop.abort(new StageError("lease_expired")));
    child.stdout.resume();
    await expect(child.exited).rejects.toMatchObject({ code: "lease_expired" });
    expect(() => startFfmpeg(ffmpeg, [], { signal: stop.signal })).toThrow(StageError);
  });

  it("on input that is no media: invalid_media, its messages as the cause", async () => {
    const path = join(await scratch(), "x.mp4");
    await writeFile(path, "nothing of the kind");
    const error: unknown = await runFfmpeg(ffmpeg, [
      "-f",
      "mov",
      "-i",
      path,
      "-f",
      "null",
      "-",
    ]).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "invalid_media" });
    expect(String((error as Error).cause)).toMatch(/moov atom|Invalid data/);
  });

  it("has its memory, output and time limited", async () => {
    const limits = await script("for l in v f t c; do ulimit -$l; done");
    const options = { memoryBytes: 300 * 2 ** 20, outputBytes: 5 * 2 ** 20, timeoutMs: 7000 };
    const child = startFfmpeg(limits, [], options);
    const out = Buffer.concat(await child.stdout.toArray()).toString();
    await child.exited;
    expect(out.trim().split("\n")).toEqual([`${300 * 1024}`, `${5 * 2048}`, "56", "0"]);
  });

  const hasSetpriv = spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
  it.skipIf(!hasSetpriv)("ends when we are killed (needs setpriv)", async () => {
    const folder = await scratch();
    const main = join(folder, "main.ts");
    const module = new URL("ffmpeg.ts", import.meta.url).href;
    await writeFile(
      main,
      `import { startFfmpeg } from ${JSON.stringify(module)};
       const ffmpeg = { path: process.argv[2], version: "" };
       startFfmpeg(ffmpeg, []).stdout.pipe(process.stdout);`,
    );
    const endless = await script("echo $$; exec sleep 600");
    const parent = spawn(process.execPath, [main, endless.path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    expect(await isAlive(Number(line.toString()))).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(Number(line.toString()))).toBe(false);
  });

  const hasChrt = spawnSync("chrt", ["--batch", "0", "true"]).status === 0;
  it.skipIf(!hasChrt)("is scheduled in batches (needs chrt)", async () => {
    const child = startFfmpeg(await script("exec chrt --pid $$"), []);
    expect((await child.stdout.toArray()).join("")).toContain("SCHED_BATCH");
    expect(await child.exited).toMatchObject({ code: 0 });
  });

  it("that writes more than it may: resources_exhausted, and the file is no longer than that", async () => {
    const path = join(await scratch(), "big.raw");
    const args = ["-f", "lavfi", "-i", "anullsrc", "-f", "s16le", path];
    const running = runFfmpeg(ffmpeg, args, { outputBytes: 1024 * 1024 });
    await expect(running).rejects.toMatchObject({ code: "resources_exhausted" });
    expect((await readFile(path)).length).toBeLessThanOrEqual(1024 * 1024);
  });

  it.for([
    [{ code: 1, signal: null, stderr: "Invalid data" }, "invalid_media"],
    [{ code: null, signal: "SIGSEGV", stderr: "" }, "invalid_media"],
    [{ code: null, signal: "SIGKILL", stderr: "" }, "resources_exhausted"],
    [{ code: 137, signal: null, stderr: "" }, "resources_exhausted"],
    [{ code: 1, signal: null, stderr: "x: No space left on device" }, "resources_exhausted"],
  ] as const)("that ends with %j is %s", ([exit, code]) => {
    expect(() => checkExit(exit)).toThrow(expect.objectContaining({ code }));
  });
});

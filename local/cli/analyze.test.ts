// `npm run analyze` as a person uses it: odd file names, wrong use, and Ctrl-C at any moment.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../../tests/fixtures.ts";
import { type LocalCloud, startCloud } from "../cloud.ts";

const wav = fixture("speech/jfk.wav");
const COMMAND = fileURLToPath(new URL("analyze.ts", import.meta.url));

let folder: string;
let cloud: LocalCloud;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "analyze-"));
  cloud = await startCloud({ dataDir: join(folder, "data") });
});
afterAll(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

const run = (...args: string[]): ChildProcess & { output: () => string } => {
  const child = spawn(process.execPath, [COMMAND, "--data", "data", ...args], { cwd: folder });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return Object.assign(child, { output: () => output });
};
const ended = async (child: ReturnType<typeof run>): Promise<[number | null, string]> => {
  const [code] = (await once(child, "close")) as [number | null];
  return [code, child.output()];
};
const jobs = async (): Promise<string[]> => {
  const response = await fetch(`${cloud.origin}/v1/analysis`, {
    headers: { authorization: `Bearer ${cloud.apiKey}` },
  });
  const { data } = (await response.json()) as { data: { status: string }[] };
  return data.map(({ status }) => status);
};

it.each([
  ["no video", [], /Name one video/],
  ["two videos", ["a.mp4", "b.mp4"], /Name one video/],
  ["a file that is not there", ["nothing.mp4"], /no file nothing\.mp4/],
  ["a folder", ["data"], /not a file/],
  ["an unknown flag", ["--fast", "a.mp4"], /--fast/],
  ["a leading dash without --", ["-x.mp4"], /after '--'|-x/],
  ["a folder for a chat file", ["1234567890", "--chat", "data"], /no file data/],
  ["a place that no folder can have", ["1234567890", "--out", "data/lock.db/x"], /--out/],
  ["an option that there is not", ["1234567890", "--option", "clip=false"], /clip: there is no/],
  ["an option without a value", ["1234567890", "--option", "clips"], /name=value/],
])("says what is wrong with %s, and exits with 2", async (_name, args, says) => {
  const [code, output] = await ended(run(...args));
  expect([code, output]).toEqual([2, expect.stringMatching(says)]);
});

it("says what the service has against a request, and exits with 1", async () => {
  const [code, output] = await ended(run("http://127.0.0.1/a.mp4", "--option", "bits=9"));
  expect([code, output]).toEqual([1, expect.stringContaining("options.bits")]);
});

it("says that a file is empty", async () => {
  await writeFile(join(folder, "empty.mp4"), "");
  const [code, output] = await ended(run("empty.mp4"));
  expect([code, output]).toEqual([1, expect.stringContaining("The file is empty.")]);
});

describe.skipIf(!wav.present)(`a file (needs ${wav.name})`, () => {
  it.each(["-x.wav", "a b 'c' \"d\" $(e).wav", "日本語 ü.wav"])("named %s", async (name) => {
    await copyFile(wav.path, join(folder, name));
    const [code, output] = await ended(run("--out", "out", "--", name));
    expect([code, output]).toEqual([0, expect.anything()]);
    expect(await readdir(join(folder, "out"))).toContain("manifest.json");
    await rm(join(folder, "out"), { recursive: true });
  });

  it("whose analysis is interrupted is cancelled", async () => {
    // Another size of pixel: nothing of it is there already.
    const child = run("--option", "samples_per_pixel=777", "--out", "never", "--", "-x.wav");
    const end = ended(child);
    const stderr = child.stderr as NodeJS.ReadableStream;
    while (!child.output().includes("Queued")) await once(stderr, "data");
    child.kill("SIGINT");
    expect(await end).toEqual([1, expect.stringContaining("Canceled.")]);
    expect(await jobs()).toContain("Canceled");
    expect(await readdir(join(folder, "never"))).toEqual([]);
  });

  it("is let go where the command is interrupted before it has begun", async () => {
    const before = (await jobs()).length;
    await mkdir(join(folder, "own"));
    const child = run("--data", "own/data", "--", "-x.wav");
    while (!(await readdir(join(folder, "own"))).includes("data"))
      await new Promise((resolve) => setImmediate(resolve));
    child.kill("SIGINT");
    expect(await ended(child)).toEqual([1, "Canceled.\n"]);
    expect(await jobs()).toHaveLength(before);
  });
});

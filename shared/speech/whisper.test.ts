import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../../tests/fixtures.ts";
import { wav } from "./wav.ts";
import { tokensToWords, whisperSpeech } from "./whisper.ts";
import { whisperModelPath } from "./whisperModel.ts";

const model = fixture("whisper/for-tests-ggml-tiny.en.bin");
const jfk = fixture("speech/jfk.wav");
const signal = new AbortController().signal;
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "klipstream-whisper-"));
});
afterAll(() => rm(folder, { recursive: true }));

const child = async (name: string, code: string): Promise<string> => {
  const path = join(folder, `${name}.mjs`);
  await writeFile(path, code);
  return path;
};
const withChild = async (name: string, code: string, more = {}) =>
  whisperSpeech({ model: folder, sha256: undefined, childPath: await child(name, code), ...more });
const audio = { path: "sound.flac", durationSec: 10 };

describe("whisper", () => {
  it.skipIf(!model.present)(
    `loads a model in a child process, and hears nothing in no sound (needs ${model.name})`,
    async () => {
      const path = join(folder, "short.wav");
      // 50 ms: less than whisper listens to, since an empty model takes minutes to hear nothing.
      await writeFile(path, wav(Buffer.alloc(1600)));
      const whisper = whisperSpeech({ model: model.path, sha256: undefined });
      const heard = await whisper.transcribe(
        { path, durationSec: 0.05 },
        { language: "en", signal },
      );
      expect(heard).toEqual({ language: "en", words: [] });
    },
  );

  it.skipIf(!jfk.present)(`says that a file is no model (needs ${jfk.name})`, async () => {
    const whisper = whisperSpeech({ model: jfk.path, sha256: undefined });
    await expect(
      whisper.transcribe({ path: jfk.path, durationSec: 11 }, { signal }),
    ).rejects.toMatchObject({
      code: "speech_unavailable",
      message: expect.stringMatching(/model cannot be loaded/),
    });
  });

  it("joins the child's tokens to words", async () => {
    const pieces = [
      { text: " Hel", t0: 100, t1: 200 },
      { text: "lo", t0: 200, t1: 300 },
      { text: ",", t0: 300, t1: 310 },
      { text: " [", t0: 400, t1: 410 },
      { text: "BLANK", t0: 410, t1: 420 },
      { text: "_AUDIO]", t0: 420, t1: 430 },
      { text: " world", t0: 500, t1: 99_000 },
    ];
    const message = JSON.stringify({ kind: "heard", language: "de", by: "token", pieces });
    const whisper = await withChild(
      "heard",
      `process.once("message", () => { process.send({ kind: "progress", percent: 50 }); process.send(${message}); process.disconnect(); });`,
    );
    expect(await whisper.transcribe(audio, { signal })).toEqual({
      language: "de",
      words: [
        { text: "Hello,", startSec: 0.1, endSec: 0.31 },
        { text: "world", startSec: 0.5, endSec: 10 },
      ],
    });
    expect(tokensToWords([])).toEqual([]);
  });

  it("survives a crash, a runaway and a stop", async () => {
    const crash = await withChild("crash", `process.once("message", () => process.abort());`);
    await expect(crash.transcribe(audio, { signal })).rejects.toMatchObject({
      code: "speech_unavailable",
      message: expect.stringMatching(/crashed/),
    });
    const spin = `process.once("message", () => { for (;;); });`;
    const runaway = await withChild("runaway", spin, { timeoutMs: 300 });
    await expect(runaway.transcribe(audio, { signal })).rejects.toMatchObject({
      code: "stage_timeout",
    });
    const stop = new AbortController();
    const told = await withChild(
      "told",
      `process.once("message", () => { process.send({ kind: "progress", percent: 1 }); setInterval(() => {}, 1000); });`,
    );
    const stopped = told.transcribe(audio, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("stopped")),
    });
    await expect(stopped).rejects.toThrow("stopped");
  });

  it("gives the child no keys", async () => {
    process.env["OPENAI_API_KEY"] = "sk-secret";
    const whisper = await withChild(
      "env",
      `process.once("message", () => { process.send({ kind: "heard", by: "segment", pieces: [{ text: Object.keys(process.env).sort().join(" "), t0: 0, t1: 1000 }] }); process.disconnect(); });`,
    );
    const { words } = await whisper.transcribe(audio, { signal });
    expect(words.map(({ text }) => text)).not.toContain("OPENAI_API_KEY");
    delete process.env["OPENAI_API_KEY"];
  });
});

describe("whisperModelPath", () => {
  it("fetches a model once, checks it and keeps it", async () => {
    const bytes = Buffer.from("a model");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    let fetched = 0;
    const server = createServer((_request, response) => {
      fetched += 1;
      response.end(bytes);
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ggml.bin`;
    const kept = join(folder, "models");
    const wanted = { model: url, sha256, folder: kept };
    const [path] = await Promise.all([
      whisperModelPath(wanted, signal),
      whisperModelPath(wanted, signal),
    ]);
    expect(readFileSync(path)).toEqual(bytes);
    const before = fetched;
    expect(await whisperModelPath(wanted, signal)).toBe(path);
    expect(fetched).toBe(before);
    await expect(
      whisperModelPath({ ...wanted, sha256: "0".repeat(64) }, signal),
    ).rejects.toMatchObject({
      code: "speech_unavailable",
      message: expect.stringMatching(/SHA-256/),
    });
    expect(await readdir(kept)).toHaveLength(1);
    await new Promise((closed) => server.close(closed));
    await expect(
      whisperModelPath({ ...wanted, sha256: "1".repeat(64) }, signal),
    ).rejects.toMatchObject({ code: "speech_unavailable" });
  });

  it.each([
    ["nothing is set", { model: undefined, sha256: undefined }, /WHISPER_MODEL/],
    ["the file is not there", { model: "/nonexistent/model", sha256: undefined }, /not there/],
    ["an address has no checksum", { model: "https://x.example/m", sha256: undefined }, /SHA-256/],
  ])("says so where %s", async (_name, wanted, message) => {
    await expect(whisperModelPath(wanted, signal)).rejects.toMatchObject({
      code: "speech_unavailable",
      message: expect.stringMatching(message),
    });
  });
});

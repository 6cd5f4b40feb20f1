// The services, each against a stand-in that speaks its documented protocol on this machine.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toErrorRecord } from "../contract/errors.ts";
import { findFfmpeg } from "../media/ffmpeg.ts";
import { createSpeechProvider } from "./createProvider.ts";
import { deepgramSpeech } from "./deepgram.ts";
import { googleSpeech } from "./google.ts";
import { languageTag } from "./language.ts";
import { openAiSpeech, punctuate } from "./openai.ts";
import { wav } from "./wav.ts";

interface Asked {
  url: string;
  authorization: string | undefined;
  type: string;
  body: Buffer;
}
type Handler = (asked: Asked, response: ServerResponse) => void;

const asked: Asked[] = [];
let handler: Handler = () => undefined;
const readAll = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
};
const server = createServer((request, response) => {
  void readAll(request).then((body) => {
    const { url = "", headers } = request;
    const one = {
      url,
      body,
      authorization: headers.authorization,
      type: headers["content-type"] ?? "",
    };
    asked.push(one);
    handler(one, response);
  });
});
let origin = "";
let folder = "";
let audio = { path: "", durationSec: 10 };

beforeAll(async () => {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), "klipstream-speech-"));
  audio = { path: join(folder, "sound.flac"), durationSec: 10 };
  await writeFile(audio.path, "fLaC sound");
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await rm(folder, { recursive: true });
});

const signal = new AbortController().signal;
const answer =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Handler =>
  (_asked, response) => {
    response
      .writeHead(status, headers)
      .end(typeof value === "string" ? value : JSON.stringify(value));
  };
const inTurn = (...handlers: Handler[]): Handler => {
  const left = [...handlers];
  return (one, response) => (left.length > 1 ? left.shift() : left[0])?.(one, response);
};
const begin = (next: Handler): void => {
  asked.length = 0;
  handler = next;
};
const openAi = (more = {}) =>
  openAiSpeech({
    baseUrl: `${origin}/v1/`,
    apiKey: "sk-secret",
    model: "whisper-1",
    retryDelaysMs: [1, 1],
    ...more,
  });

describe("openai", () => {
  it("asks for word times as the protocol has it, and gives words their punctuation", async () => {
    begin(
      answer({
        task: "transcribe",
        language: "english",
        duration: 10,
        text: "Hello, world. It's 5.",
        words: [
          { word: "Hello", start: 0.5, end: 0.9 },
          { word: "world", start: 1, end: 1.5, probability: 0.5 },
          { word: "Its", start: 2, end: 2.2 },
          { word: "5", start: 2.2, end: 99 },
          { word: "ghost", start: 30, end: 31 },
        ],
        segments: [{ id: 0, text: " Hello, world. It's 5.", start: 0.5, end: 2.4 }],
      }),
    );
    const heard = await openAi().transcribe(audio, { language: "en-US", signal });
    expect(heard).toEqual({
      language: "en",
      words: [
        { text: "Hello,", startSec: 0.5, endSec: 0.9 },
        { text: "world.", startSec: 1, endSec: 1.5, confidence: 0.5 },
        { text: "It's", startSec: 2, endSec: 2.2 },
        { text: "5.", startSec: 2.2, endSec: 10 },
      ],
      segments: [{ text: "Hello, world. It's 5.", startSec: 0.5, endSec: 2.4 }],
    });
    const [one] = asked;
    expect(one).toMatchObject({
      url: "/v1/audio/transcriptions",
      authorization: "Bearer sk-secret",
    });
    const form = await new Response(new Uint8Array(one?.body ?? []), {
      headers: { "content-type": one?.type ?? "" },
    }).formData();
    expect(form.getAll("timestamp_granularities[]")).toEqual(["word", "segment"]);
    expect([form.get("model"), form.get("response_format"), form.get("language")]).toEqual([
      "whisper-1",
      "verbose_json",
      "en",
    ]);
    expect(await (form.get("file") as File).text()).toBe("fLaC sound");
  });

  it("spreads words where a server gives segments or text alone", async () => {
    begin(answer({ text: "ab cd", segments: [{ text: " ab cd", start: 2, end: 4 }] }));
    const { words } = await openAi().transcribe(audio, { signal });
    expect(words).toEqual([
      { text: "ab", startSec: 2, endSec: 3 },
      { text: "cd", startSec: 3, endSec: 4 },
    ]);
    begin(answer({ text: "ab cd" }));
    const bare = await openAi({ apiKey: undefined }).transcribe(audio, { signal });
    expect(bare.words.map(({ startSec }) => startSec)).toEqual([0, 5]);
    expect(asked[0]?.authorization).toBeUndefined();
  });

  it("tries again after 429, 503 and an answer that is no JSON", async () => {
    begin(
      inTurn(
        answer("slow down", 429, { "retry-after": "0" }),
        answer("busy", 503),
        answer({ text: "a" }),
      ),
    );
    expect((await openAi().transcribe(audio, { signal })).words).toHaveLength(1);
    expect(asked).toHaveLength(3);
    begin(inTurn(answer("<html>"), answer({ text: "a" })));
    expect((await openAi().transcribe(audio, { signal })).words).toHaveLength(1);
  });

  it.each([
    [
      "a refused key",
      answer({ error: { message: "Incorrect API key: sk-secret" } }, 401),
      "speech_rejected",
      1,
    ],
    ["a server in trouble", answer("sk-secret", 500), "speech_unavailable", 3],
    [
      "a server that hangs up",
      (_: Asked, r: ServerResponse) => r.destroy(),
      "speech_unavailable",
      3,
    ],
    [
      "a redirect, which is not followed",
      answer("", 307, { location: "/elsewhere" }),
      "speech_unavailable",
      3,
    ],
    ["another shape", answer({ words: "none" }), "speech_rejected", 1],
  ] as [string, Handler, string, number][])(
    "says so on %s, without the key",
    async (_name, next, code, tries) => {
      begin(next);
      const error: unknown = await openAi()
        .transcribe(audio, { signal })
        .catch((caught: unknown) => caught);
      const record = toErrorRecord(error);
      expect(record.code).toBe(code);
      expect(JSON.stringify(record)).not.toContain("sk-secret");
      expect(asked).toHaveLength(tries);
      expect(asked.every(({ url }) => url === "/v1/audio/transcriptions")).toBe(true);
    },
  );

  it("waits no longer than a minute for a busy service, and passes on how long it asks for", async () => {
    begin(answer("", 429, { "retry-after": "3600" }));
    await expect(openAi().transcribe(audio, { signal })).rejects.toMatchObject({
      code: "speech_unavailable",
      retryAfterSec: 3600,
    });
    expect(asked).toHaveLength(1);
  });

  it("does not send what is too large, and stops when told to", async () => {
    begin(answer({ text: "" }));
    await expect(openAi({ maxUploadBytes: 5 }).transcribe(audio, { signal })).rejects.toMatchObject(
      { code: "speech_rejected", message: expect.stringMatching(/RANGE_SEC/) },
    );
    expect(asked).toHaveLength(0);
    const stop = new AbortController();
    begin(() => stop.abort(new Error("stopped")));
    await expect(openAi().transcribe(audio, { signal: stop.signal })).rejects.toThrow("stopped");
  });
});

describe("punctuate", () => {
  it("keeps its place where words and text differ", () => {
    const words = ["so", "uh", "we", "can", "not", "go"].map((text) => ({
      text,
      startSec: 0,
      endSec: 1,
    }));
    expect(punctuate(words, ["So, we", "cannot go."]).map(({ text }) => text)).toEqual([
      "So,",
      "uh",
      "we",
      "can",
      "not",
      "go.",
    ]);
  });
});

describe("deepgram", () => {
  it("sends the sound, and reads words with punctuation and confidence", async () => {
    const word = { word: "hola", punctuated_word: "¡Hola!", start: 0.1, end: 0.5, confidence: 0.9 };
    begin(
      answer({
        metadata: {},
        results: {
          channels: [
            { detected_language: "es", alternatives: [{ transcript: "", words: [word] }] },
          ],
        },
      }),
    );
    const deepgram = deepgramSpeech({ apiKey: "dg-secret", origin, retryDelaysMs: [] });
    expect(await deepgram.transcribe(audio, { signal })).toEqual({
      language: "es",
      words: [{ text: "¡Hola!", startSec: 0.1, endSec: 0.5, confidence: 0.9 }],
    });
    expect(asked[0]).toMatchObject({
      url: "/v1/listen?model=nova-3&smart_format=true&detect_language=true",
      authorization: "Token dg-secret",
      type: "audio/flac",
    });
    expect(asked[0]?.body.toString()).toBe("fLaC sound");
  });
});

describe("google", () => {
  it("sends pieces of less than a minute, and joins their words", async () => {
    // Two minutes; each second's samples all hold the second's number, so that the stand-in can
    // tell which seconds it was sent, and hear a word in each.
    const seconds = Array.from({ length: 120 }, (_, sec) => {
      const samples = new Int16Array(16_000).fill(sec * 100);
      return Buffer.from(samples.buffer);
    });
    const path = join(folder, "counting.wav");
    await writeFile(path, wav(Buffer.concat(seconds)));
    begin((one, response) => {
      const { content, config } = JSON.parse(one.body.toString()) as {
        content: string;
        config: { languageCodes: string[]; model: string };
      };
      expect(config).toMatchObject({ languageCodes: ["auto"], model: "long" });
      const samples = Buffer.from(content, "base64").subarray(44);
      const lengthSec = samples.length / 32_000;
      expect(lengthSec).toBeLessThan(60);
      const words = Array.from({ length: Math.floor(lengthSec) }, (_, sec) => ({
        word: `w${samples.readInt16LE(sec * 32_000 + 16_000) / 100}`,
        // Google leaves out a zero.
        ...(sec === 0 ? {} : { startOffset: `${sec}s` }),
        endOffset: `${sec}.500s`,
        confidence: 0.8,
      }));
      answer({ results: [{ languageCode: "en-us", alternatives: [{ words }] }, {}] })(
        one,
        response,
      );
    });
    const progress: number[] = [];
    const google = googleSpeech({
      projectId: "p",
      accessToken: async () => "token",
      ffmpeg: () => findFfmpeg(),
      origin,
      retryDelaysMs: [],
    });
    const heard = await google.transcribe(
      { path, durationSec: 120 },
      { signal, onProgress: (fraction) => progress.push(fraction) },
    );
    expect(heard.language).toBe("en-US");
    expect(heard.words).toEqual(
      seconds.map((_, sec) => ({
        text: `w${sec}`,
        startSec: sec,
        endSec: sec + 0.5,
        confidence: 0.8,
      })),
    );
    expect(progress.at(-1)).toBe(1);
    expect(asked).toHaveLength(3);
    expect(asked[0]).toMatchObject({
      url: "/v2/projects/p/locations/global/recognizers/_:recognize",
      authorization: "Bearer token",
    });
  });

  it("asks for no more pieces where one is refused, and lets go of those under way", async () => {
    const path = join(folder, "refused.wav");
    await writeFile(path, wav(Buffer.alloc(200 * 32_000)));
    const letGo = Promise.withResolvers<void>();
    begin((_asked, response) => {
      if (asked.length === 1) response.on("close", letGo.resolve);
      else answer({ error: "no" }, 403)(_asked, response);
    });
    const google = googleSpeech({
      projectId: "p",
      accessToken: async () => "token",
      ffmpeg: () => findFfmpeg(),
      origin,
      parallel: 2,
      retryDelaysMs: [],
    });
    await expect(google.transcribe({ path, durationSec: 200 }, { signal })).rejects.toMatchObject({
      code: "speech_rejected",
    });
    await letGo.promise;
    expect(asked).toHaveLength(2);
  });
});

describe("createSpeechProvider", () => {
  const config = {
    openai: { baseUrl: "https://speech.example/v1", apiKey: undefined, model: "m" },
    deepgramApiKey: undefined,
    whisper: { model: undefined, sha256: undefined },
  };
  it.each(["none", "captions"] as const)("%s hears nothing", async (name) => {
    expect(await createSpeechProvider(name, config).transcribe(audio, { signal })).toEqual({
      words: [],
    });
  });
  it.each(["deepgram", "google"] as const)("%s must be set up", (name) => {
    expect(() => createSpeechProvider(name, config)).toThrow(
      expect.objectContaining({ code: "speech_unavailable" }),
    );
  });
  it("names the model in the version", () => {
    expect(createSpeechProvider("openai", config)).toMatchObject({
      name: "openai",
      version: "1:speech.example:m",
    });
  });
});

describe("languageTag", () => {
  it.each([
    ["english", "en"],
    ["EN_us", "en-US"],
    ["pt-BR", "pt-BR"],
    ["Haitian Creole", "ht"],
    ["und", undefined],
    ["", undefined],
    ["not a language", undefined],
  ])("%s is %s", (name, tag) => expect(languageTag(name)).toBe(tag));
});

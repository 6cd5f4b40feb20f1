// whisper.cpp on this machine: no service, no key, no network once the model is there.
import { type ChildProcess, fork } from "node:child_process";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { availableParallelism } from "node:os";
import { StageError } from "../contract/errors.ts";
import type { Word } from "../contract/transcript.ts";
import { baseLanguage, languageTag } from "./language.ts";
import { type SpeechProvider, missing, tidyWords } from "./provider.ts";
import { splitWords, spreadWords } from "./text.ts";
import type { WhisperJob, WhisperMessage, WhisperPiece } from "./whisperChild.ts";
import { type WhisperModel, whisperModelPath } from "./whisperModel.ts";

export interface WhisperConfig extends WhisperModel {
  /** Default: one for each core, 8 at most. */
  threads?: number;
  /** Try doubtful stretches again (whisper's temperature fallback); default true. */
  fallback?: boolean;
  /** Default 9 minutes. */
  timeoutMs?: number;
  /** The child's entry, where it does not lie beside this file (a bundle). */
  childPath?: string;
}

type Heard = Extract<WhisperMessage, { kind: "heard" }>;

const STDERR_CHARS = 4000;

/** Joins tokens to words: a token that begins with a space begins a word. */
export const tokensToWords = (tokens: readonly WhisperPiece[]): Word[] => {
  const words: Word[] = [];
  let open = false;
  for (const { text, t0, t1 } of tokens) {
    const last = words.at(-1);
    if (open && last !== undefined && !text.startsWith(" ")) {
      last.text += text;
      last.endSec = Math.max(last.endSec, t1 / 1000);
    } else words.push({ text: text.trimStart(), startSec: t0 / 1000, endSec: t1 / 1000 });
    open = true;
  }
  // Marks such as [BLANK_AUDIO] say that nothing was said.
  return words
    .flatMap((word) => {
      const parts = splitWords(word.text);
      return parts.length > 1 ? spreadWords(parts, word.startSec, word.endSec) : [word];
    })
    .filter(({ text }) => text !== "" && !/^[[(][A-Z_ ]+[\])]$/.test(text));
};

const wordsOf = ({ by, pieces }: Heard): Word[] =>
  by === "token"
    ? tokensToWords(pieces)
    : pieces.flatMap(({ text, t0, t1 }) => spreadWords(splitWords(text), t0 / 1000, t1 / 1000));

/** The child's last word, or why there is none. */
const listen = (
  child: ChildProcess,
  job: WhisperJob,
  {
    signal,
    onProgress,
    timeoutMs,
  }: {
    signal: AbortSignal;
    onProgress: ((fraction: number) => void) | undefined;
    timeoutMs: number;
  },
): Promise<Heard> =>
  new Promise<Heard>((resolve, reject) => {
    let heard: Heard | undefined;
    let failure: Error | undefined;
    let stderr = "";
    const stop = (error: Error): void => {
      failure ??= error;
      child.kill("SIGKILL");
    };
    const onAbort = (): void => stop(signal.reason as Error);
    const timer = setTimeout(() => {
      stop(new StageError("stage_timeout", "Transcribing took longer than its limit."));
    }, timeoutMs);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-STDERR_CHARS);
    });
    child.on("message", (message: WhisperMessage) => {
      if (message.kind === "progress") onProgress?.(Math.min(1, message.percent / 100));
      else if (message.kind === "heard") heard = message;
      else {
        const cause = new Error(`${message.message}\n${stderr}`);
        const what = {
          binding: "whisper.cpp is not there for this machine",
          model: "the model cannot be loaded",
          audio: "the sound cannot be read",
        };
        failure ??= new StageError("speech_unavailable", missing(what[message.reason]).message, {
          cause,
        });
      }
    });
    const end = (error: Error | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      if (failure ?? error) reject(failure ?? error);
      else if (heard) resolve(heard);
      else
        reject(
          new StageError("speech_unavailable", missing("whisper.cpp crashed").message, {
            cause: new Error(stderr),
          }),
        );
    };
    child.once("error", (cause) =>
      end(
        new StageError("speech_unavailable", missing("whisper.cpp cannot be started").message, {
          cause,
        }),
      ),
    );
    // Not "exit", which may come before the last message has been read.
    child.once("close", () => end(undefined));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else child.send(job);
  });

export const whisperSpeech = (config: WhisperConfig): SpeechProvider => ({
  name: "whisper",
  version: `1:${config.sha256 ?? basename(config.model ?? "none")}`,
  transcribe: async (audio, { language, signal, onProgress }) => {
    const modelPath = await whisperModelPath(config, signal);
    signal.throwIfAborted();
    const childPath =
      config.childPath ?? fileURLToPath(new URL("whisperChild.ts", import.meta.url));
    const child = fork(childPath, {
      // Neither flags of ours nor keys; where libraries are found stays.
      execArgv: [],
      env: { PATH: process.env["PATH"] ?? "" },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const heard = await listen(
      child,
      {
        modelPath,
        audioPath: audio.path,
        language: language === undefined ? "auto" : baseLanguage(language),
        threads: config.threads ?? Math.min(8, availableParallelism()),
        fallback: config.fallback ?? true,
      },
      { signal, onProgress, timeoutMs: config.timeoutMs ?? 540_000 },
    );
    const spoken = language ?? languageTag(heard.language);
    return {
      ...(spoken === undefined ? {} : { language: spoken }),
      words: tidyWords(wordsOf(heard), audio.durationSec),
    };
  },
});

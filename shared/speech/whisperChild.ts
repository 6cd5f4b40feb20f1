// The process in which whisper.cpp runs. It is a library of C++ that reads a model and sound from
// elsewhere: where it crashes or runs away, it takes this process and nothing else.
import { createRequire } from "node:module";

export interface WhisperJob {
  modelPath: string;
  audioPath: string;
  /** `auto` to recognise it. */
  language: string;
  threads: number;
  /** Whether a doubtful stretch is tried again less certain of itself; slower, and better. */
  fallback: boolean;
}

/** One token, or one whole segment, with its time in milliseconds. */
export interface WhisperPiece {
  text: string;
  t0: number;
  t1: number;
}

export type WhisperMessage =
  | { kind: "progress"; percent: number }
  | { kind: "heard"; language?: string; by: "token" | "segment"; pieces: WhisperPiece[] }
  | { kind: "failed"; reason: "binding" | "model" | "audio"; message: string };

interface Binding {
  WhisperContext: {
    new (options: { filePath: string; useGpu: boolean }): WhisperContext | Promise<WhisperContext>;
    toggleNativeLog(on: boolean): void;
  };
}
interface WhisperContext {
  transcribeFile(
    path: string,
    options: Record<string, unknown>,
  ): { promise: Promise<{ language?: string; segments: WhisperPiece[] }> };
}

const send = (message: WhisperMessage): void => {
  process.send?.(message);
};

const run = async (job: WhisperJob): Promise<WhisperMessage> => {
  let binding: Binding;
  try {
    const name = `@fugood/node-whisper-${process.platform}-${process.arch}`;
    binding = createRequire(import.meta.url)(name) as Binding;
  } catch (error) {
    return { kind: "failed", reason: "binding", message: String(error) };
  }
  binding.WhisperContext.toggleNativeLog(false);
  let context: WhisperContext;
  try {
    context = await new binding.WhisperContext({ filePath: job.modelPath, useGpu: false });
  } catch (error) {
    return { kind: "failed", reason: "model", message: String(error) };
  }
  const listen = (maxLen: number) =>
    context.transcribeFile(job.audioPath, {
      language: job.language,
      maxThreads: job.threads,
      tokenTimestamps: true,
      maxLen,
      ...(job.fallback ? {} : { temperatureInc: 0 }),
      onProgress: (percent: number) => send({ kind: "progress", percent }),
    }).promise;
  try {
    // Segments of at most one character are single tokens, each with its time.
    const heard = await listen(1);
    // A token may be half a character, which is lost; then whole segments have to do.
    const broken = heard.segments.some(({ text }) => text.includes("\uFFFD"));
    const { segments, language } = broken ? await listen(0) : heard;
    const pieces = segments.map(({ text, t0, t1 }) => ({ text, t0, t1 }));
    return {
      kind: "heard",
      by: broken ? "segment" : "token",
      pieces,
      ...(language === undefined ? {} : { language }),
    };
  } catch (error) {
    return { kind: "failed", reason: "audio", message: String(error) };
  }
};

process.once("message", (job: WhisperJob) => {
  void run(job).then((message) => {
    send(message);
    process.disconnect();
  });
});
// An orphan has nobody to listen for.
process.once("disconnect", () => process.exit());

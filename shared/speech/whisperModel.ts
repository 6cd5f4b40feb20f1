// Where whisper.cpp's model file is: a path, or an address it is fetched from once, checked by its
// SHA-256 and kept.
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StageError } from "../contract/errors.ts";
import { missing } from "./provider.ts";

export interface WhisperModel {
  /** Path or `https:` address; the address needs `sha256`. */
  model: string | undefined;
  /** Lower-case hex. */
  sha256: string | undefined;
  /** Where fetched models are kept; default `~/.cache/klipstream`. */
  folder?: string;
}

const MAX_MODEL_BYTES = 4 * 1024 ** 3;

const exists = async (path: string): Promise<boolean> => {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
};

const download = async (
  url: string,
  sha256: string,
  path: string,
  signal: AbortSignal,
): Promise<void> => {
  const partial = `${path}.${randomUUID()}.part`;
  const hash = createHash("sha256");
  let size = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      if (size > MAX_MODEL_BYTES) done(missing("the model has more than 4 GiB"));
      else done(null, chunk);
    },
  });
  try {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null)
      throw missing(`the model's address answers ${response.status}`);
    await pipeline(
      Readable.fromWeb(response.body),
      check,
      createWriteStream(partial, { flags: "wx" }),
      { signal },
    );
    if (hash.digest("hex") !== sha256) throw missing("the model has another SHA-256 than was said");
    // Two that fetch at once put the same bytes there.
    await rename(partial, path);
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof StageError) throw cause;
    throw new StageError("speech_unavailable", "The transcription model cannot be fetched.", {
      cause,
    });
  } finally {
    await rm(partial, { force: true });
  }
};

/**
 * @returns path of a model that is there
 * @throws {StageError} `speech_unavailable`
 */
export const whisperModelPath = async (
  { model, sha256, folder = join(homedir(), ".cache", "klipstream") }: WhisperModel,
  signal: AbortSignal,
): Promise<string> => {
  if (model === undefined) throw missing("no model is set (WHISPER_MODEL)");
  if (!/^https?:/.test(model)) {
    if (!(await exists(model))) throw missing("the model file is not there");
    return model;
  }
  if (sha256 === undefined) throw missing("the model's SHA-256 is not set (WHISPER_MODEL_SHA256)");
  const path = join(folder, `whisper-${sha256}.bin`);
  if (await exists(path)) return path;
  await mkdir(folder, { recursive: true });
  await download(model, sha256, path, signal);
  return path;
};

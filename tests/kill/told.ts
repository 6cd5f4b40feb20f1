// What a client was told, one line of JSON for each, in the order it heard it. The file is the client's
// own: it is what the state after a restart is held against.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { z } from "zod";

/** How a mutation is sent: over the WebSocket, whose client sends it again, or once by HTTP. */
const Way = z.enum(["sync", "http"]);
export type Way = z.infer<typeof Way>;

const Told = z.discriminatedUnion("kind", [
  /** An upload was begun; by its handle the later lines name it. */
  z.object({ kind: z.literal("begun"), handle: z.string(), sizeBytes: z.int() }),
  /** So many of its bytes are stored: an acknowledged chunk, or the answer to being asked. */
  z.object({ kind: z.literal("stored"), handle: z.string(), bytes: z.int(), asked: z.boolean() }),
  z.object({
    kind: z.literal("uploaded"),
    handle: z.string(),
    sizeBytes: z.int(),
    generation: z.string(),
    crc32c: z.string(),
    /** Of what was sent. */
    sha256: z.string(),
  }),
  z.object({ kind: z.literal("submitted"), jobId: z.string(), request: z.unknown() }),
  /** A server-sent event of the job; `data` as it came. */
  z.object({ kind: z.literal("event"), id: z.string(), event: z.string(), data: z.string() }),
  /** The job as a live query shows it. */
  z.object({ kind: z.literal("job"), status: z.string(), progress: z.number() }),
  /** The courses as a live query lists them. */
  z.object({ kind: z.literal("courses"), names: z.array(z.string()) }),
  /** A mutation is about to be sent: a new course by this name, … */
  z.object({ kind: z.literal("making"), way: Way, name: z.string() }),
  z.object({ kind: z.literal("made"), way: Way, name: z.string(), id: z.string() }),
  /** … or a number that only grows, written over the one before. */
  z.object({ kind: z.literal("counting"), count: z.int() }),
  z.object({ kind: z.literal("counted"), count: z.int(), id: z.string() }),
  /** No answer came; whether it was done is not known. */
  z.object({ kind: z.literal("unanswered"), name: z.string(), error: z.string() }),
]);
export type Told = z.infer<typeof Told>;

/** With when it was heard, in milliseconds since 1970. */
const Line = z.intersection(Told, z.object({ at: z.number() }));
export type Line = z.infer<typeof Line>;

/** In the file when it returns: a client that then does anything has it written down. */
export const openLog = (path: string) => (told: Told) =>
  appendFileSync(path, `${JSON.stringify({ at: Date.now(), ...told })}\n`);

/** Empty where nothing was told yet. */
export const readLog = (path: string): Line[] =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => Line.parse(JSON.parse(line)))
    : [];

/** The lines of one kind. */
export const only = <K extends Told["kind"]>(lines: readonly Line[], kind: K) =>
  lines.filter((line): line is Extract<Told, { kind: K }> & { at: number } => line.kind === kind);

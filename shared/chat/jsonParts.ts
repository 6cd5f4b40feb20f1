// Takes named parts out of a large JSON document while its bytes go by, so that a chat file of
// hundreds of megabytes costs one message of memory at a time. Each part is left to `JSON.parse`;
// what nobody wants is only checked for its brackets.
import { StageError } from "../contract/errors.ts";

export interface JsonPart {
  /** Where it was: `comments[]` for an element of `comments`, `video` for a member's value. */
  path: string;
  /** Position in its array, from 0; 0 outside arrays. */
  index: number;
  text: string;
}

interface Frame {
  close: number;
  path: string;
  index: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const BOM = [0xef, 0xbb, 0xbf];
const MAX_KEY_BYTES = 256;

const isSpace = (byte: number): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isOpen = (byte: number): boolean => byte === OPEN_ARRAY || byte === OPEN_OBJECT;
const isClose = (byte: number): boolean => byte === CLOSE_ARRAY || byte === CLOSE_OBJECT;

const bad = (problem: string): StageError =>
  new StageError("invalid_chat_file", `The chat file cannot be read: ${problem}.`);

/** Every path on the way to a wanted one, so that the scanner knows which containers to enter. */
const parentsOf = (paths: Iterable<string>): Set<string> => {
  const parents = new Set<string>();
  for (const path of paths)
    for (let at = path; at !== "";) {
      at = at.endsWith("[]") ? at.slice(0, -2) : at.slice(0, Math.max(0, at.lastIndexOf(".")));
      parents.add(at);
    }
  return parents;
};

/** The scanner's state between chunks; `feed` takes bytes and gives the parts that ended in them. */
class PartScanner {
  readonly #wanted: ReadonlyMap<string, number>;
  readonly #parents: Set<string>;
  readonly #onArray: (path: string) => void;
  readonly #stack: Frame[] = [];
  #expect: "value" | "first" | "key" | "colon" | "after" | "end" = "value";
  #path = "";
  #offset = 0;
  // Inside a value that is not entered: taken when `#limit` is above 0, else skipped.
  #mode: "between" | "key" | "string" | "nested" | "scalar" = "between";
  #limit = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #pieces: Buffer[] = [];
  #pieceBytes = 0;

  constructor(wanted: ReadonlyMap<string, number>, onArray: (path: string) => void) {
    this.#wanted = wanted;
    this.#parents = parentsOf(wanted.keys());
    this.#onArray = onArray;
  }

  *feed(chunk: Buffer): Generator<JsonPart> {
    let from = 0;
    let at = this.#offset === 0 ? skipBom(chunk) : 0;
    while (at < chunk.length) {
      if (this.#mode === "between") {
        from = at;
        this.#structure(chunk[at] as number, at);
        at += 1;
        continue;
      }
      const end = this.#within(chunk, at);
      if (end === -1) break;
      this.#keep(chunk.subarray(from, end));
      yield* this.#finish();
      at = end;
    }
    if (this.#mode !== "between") this.#keep(chunk.subarray(from));
    this.#offset += chunk.length;
  }

  end(): void {
    if (this.#offset === 0) throw bad("it is empty");
    if (this.#expect !== "end" || this.#mode !== "between") throw bad("it ends in the middle");
  }

  #keep(piece: Buffer): void {
    if (this.#limit === 0 && this.#mode !== "key") return;
    this.#pieceBytes += piece.length;
    const limit = this.#mode === "key" ? MAX_KEY_BYTES : this.#limit;
    if (this.#pieceBytes > limit)
      throw bad(
        this.#mode === "key"
          ? "it has a field with an endless name"
          : `${this.#path || "its content"} is longer than ${limit} bytes`,
      );
    this.#pieces.push(Buffer.from(piece));
  }

  /** One byte between values: opens and closes what is entered, begins what is not. */
  #structure(byte: number, at: number): void {
    if (isSpace(byte)) return;
    const frame = this.#stack.at(-1);
    switch (this.#expect) {
      case "first":
      case "value":
      case "key":
        if (frame !== undefined && byte === frame.close && this.#expect === "first") {
          this.#leave();
        } else if (frame?.close === CLOSE_OBJECT && this.#expect !== "value") {
          if (byte !== QUOTE) throw this.#unexpected(at);
          this.#mode = "key";
          this.#escaped = false;
        } else this.#begin(byte, at);
        return;
      case "colon":
        if (byte !== COLON) throw this.#unexpected(at);
        this.#expect = "value";
        return;
      case "after":
        if (frame !== undefined && byte === frame.close) this.#leave();
        else if (frame !== undefined && byte === COMMA) {
          frame.index += 1;
          this.#expect = frame.close === CLOSE_OBJECT ? "key" : "value";
          if (frame.close === CLOSE_ARRAY) this.#path = `${frame.path}[]`;
        } else throw this.#unexpected(at);
        return;
      case "end":
        throw this.#unexpected(at);
    }
  }

  #begin(byte: number, at: number): void {
    if (isClose(byte) || byte === COMMA || byte === COLON) throw this.#unexpected(at);
    const limit = this.#wanted.get(this.#path);
    if (limit === undefined && isOpen(byte) && this.#parents.has(this.#path)) {
      const close = byte === OPEN_ARRAY ? CLOSE_ARRAY : CLOSE_OBJECT;
      this.#stack.push({ close, path: this.#path, index: 0 });
      if (byte === OPEN_ARRAY) {
        this.#path = `${this.#path}[]`;
        this.#onArray(this.#path);
      }
      this.#expect = "first";
      return;
    }
    this.#limit = limit ?? 0;
    this.#depth = isOpen(byte) ? 1 : 0;
    this.#inString = false;
    this.#escaped = false;
    this.#mode = byte === QUOTE ? "string" : isOpen(byte) ? "nested" : "scalar";
  }

  #leave(): void {
    const frame = this.#stack.pop() as Frame;
    this.#path = frame.path;
    this.#expect = this.#stack.length === 0 ? "end" : "after";
  }

  /** @returns the index just past the value, or -1 when the chunk ends first */
  #within(chunk: Buffer, from: number): number {
    if (this.#mode === "scalar") {
      for (let at = from; at < chunk.length; at += 1) {
        const byte = chunk[at] as number;
        if (isSpace(byte) || byte === COMMA || isClose(byte)) return at;
      }
      return -1;
    }
    if (this.#mode === "nested") return this.#nested(chunk, from);
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) return at + 1;
    }
    return -1;
  }

  #nested(chunk: Buffer, from: number): number {
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    let at = from;
    for (; at < chunk.length && depth > 0; at += 1) {
      const byte = chunk[at] as number;
      if (escaped) escaped = false;
      else if (inString) {
        if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) inString = true;
      else if (isOpen(byte)) depth += 1;
      else if (isClose(byte)) depth -= 1;
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    return depth === 0 ? at : -1;
  }

  *#finish(): Generator<JsonPart> {
    const text = Buffer.concat(this.#pieces).toString("utf8");
    const taken = this.#limit > 0;
    const wasKey = this.#mode === "key";
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#mode = "between";
    this.#limit = 0;
    const frame = this.#stack.at(-1);
    if (wasKey) {
      const parent = frame?.path ?? "";
      const key = parseKey(text);
      this.#path = parent === "" ? key : `${parent}.${key}`;
      this.#expect = "colon";
      return;
    }
    if (taken) yield { path: this.#path, index: frame?.index ?? 0, text };
    this.#expect = this.#stack.length === 0 ? "end" : "after";
  }

  #unexpected(at: number): StageError {
    return bad(`it is not JSON at byte ${this.#offset + at}`);
  }
}

const skipBom = (chunk: Buffer): number =>
  BOM.every((byte, index) => chunk[index] === byte) ? BOM.length : 0;

const parseKey = (text: string): string => {
  try {
    return String(JSON.parse(text));
  } catch (cause) {
    throw new StageError("invalid_chat_file", "The chat file has a broken field name.", { cause });
  }
};

/**
 * @param wanted  path → most bytes one part of it may have
 * @param onArray told of each array on the way to a wanted part, by the path of its elements; so an
 *   empty one is told from one that is not there
 * @throws {StageError} `invalid_chat_file` where the brackets do not match, the document ends
 *   early, or a part is too long
 */
export async function* jsonParts(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  wanted: ReadonlyMap<string, number>,
  onArray: (path: string) => void = () => undefined,
): AsyncGenerator<JsonPart> {
  const scanner = new PartScanner(wanted, onArray);
  for await (const chunk of chunks)
    yield* scanner.feed(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  scanner.end();
}

// Values as bytes that sort as Convex sorts the values, so that an index is one B-tree of bytes:
// undefined < null < int64 < float64 < boolean < string < bytes < array < object.
import type { Value } from "convex/values";

const TAG = {
  end: 0x00,
  undefined: 0x01,
  null: 0x02,
  int64: 0x03,
  float64: 0x04,
  false: 0x05,
  true: 0x06,
  string: 0x07,
  bytes: 0x08,
  array: 0x09,
  object: 0x0a,
} as const;

const ZERO = 0x00;
/** Follows a zero byte that is content; the end is a zero that is followed by less. */
const ESCAPE = 0xff;

class Writer {
  #bytes = Buffer.allocUnsafe(64);
  #length = 0;

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Ends in two zeros, which sort below everything that can follow in a longer one. */
  terminated(content: Uint8Array): void {
    this.#reserve(content.length + 2);
    for (const byte of content) {
      this.byte(byte);
      if (byte === ZERO) this.byte(ESCAPE);
    }
    this.byte(ZERO);
    this.byte(ZERO);
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.#bytes.writeBigUInt64BE(BigInt.asUintN(64, value) ^ (1n << 63n), this.#length);
    this.#length += 8;
  }

  /** IEEE 754 in total order: negative numbers count down, so all their bits are turned. */
  float64(value: number): void {
    this.#reserve(8);
    const at = this.#length;
    this.#bytes.writeDoubleBE(value, at);
    const isNegative = (this.#bytes[at]! & 0x80) !== 0;
    if (isNegative) for (let i = at; i < at + 8; i++) this.#bytes[i] = ~this.#bytes[i]! & 0xff;
    else this.#bytes[at] = this.#bytes[at]! | 0x80;
    this.#length += 8;
  }

  taken(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }
}

const write = (writer: Writer, value: Value | undefined): void => {
  if (value === undefined) return writer.byte(TAG.undefined);
  if (value === null) return writer.byte(TAG.null);
  switch (typeof value) {
    case "bigint":
      writer.byte(TAG.int64);
      return writer.int64(value);
    case "number":
      writer.byte(TAG.float64);
      return writer.float64(value);
    case "boolean":
      return writer.byte(value ? TAG.true : TAG.false);
    case "string":
      writer.byte(TAG.string);
      return writer.terminated(Buffer.from(value, "utf8"));
    case "object":
      break;
    default:
      throw new TypeError(`A ${typeof value} is no Convex value.`);
  }
  if (value instanceof ArrayBuffer) {
    writer.byte(TAG.bytes);
    return writer.terminated(new Uint8Array(value));
  }
  if (Array.isArray(value)) {
    writer.byte(TAG.array);
    for (const item of value) write(writer, item);
    return writer.byte(TAG.end);
  }
  writer.byte(TAG.object);
  const fields = value as Record<string, Value | undefined>;
  for (const name of Object.keys(fields).toSorted()) {
    if (fields[name] === undefined) continue;
    write(writer, name);
    write(writer, fields[name]);
  }
  writer.byte(TAG.end);
};

/** One key of several values; keys compare as the lists of values do. */
export const encodeKey = (values: readonly (Value | undefined)[]): Buffer => {
  const writer = new Writer();
  for (const value of values) write(writer, value);
  return writer.taken();
};

/** The first key after all that begin with this one; undefined where there is none after. */
export const afterPrefix = (prefix: Uint8Array): Buffer | undefined => {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return undefined;
  const next = Buffer.from(prefix.subarray(0, length));
  next[length - 1] = next[length - 1]! + 1;
  return next;
};

/** The next key there can be. */
export const afterKey = (key: Uint8Array): Buffer => Buffer.concat([key, Buffer.from([ZERO])]);

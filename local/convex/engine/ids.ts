// Ids of documents: the number of the table, 16 random bytes and a checksum, in Crockford's base 32.
// An id says which table it belongs to, so that one of another table is told apart without a look.
import { randomFillSync } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const VALUE_OF = new Map(Array.from(ALPHABET).map((letter, value) => [letter, value]));
const RANDOM_BYTES = 16;
const CHECKSUM_BYTES = 2;
const MAX_LENGTH = 40;

const pool = Buffer.alloc(RANDOM_BYTES * 256);
let taken = pool.length;

/** Asking the system for few bytes at a time is slow. */
const random = (): Buffer => {
  if (taken === pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  taken += RANDOM_BYTES;
  return pool.subarray(taken - RANDOM_BYTES, taken);
};

const varint = (number: number): number[] => {
  const bytes: number[] = [];
  let rest = number;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
};

/** Fletcher's, of 16 bits. */
const checksum = (bytes: Uint8Array): [number, number] => {
  let low = 0;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 255;
    high = (high + low) % 255;
  }
  return [low, high];
};

const toBase32 = (bytes: Uint8Array): string => {
  let text = "";
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(buffer >> bits) & 31];
    }
  }
  return bits > 0 ? text + ALPHABET[(buffer << (5 - bits)) & 31]! : text;
};

const fromBase32 = (text: string): Buffer | undefined => {
  const bytes: number[] = [];
  let buffer = 0;
  let bits = 0;
  for (const letter of text) {
    const value = VALUE_OF.get(letter);
    if (value === undefined) return undefined;
    buffer = ((buffer << 5) | value) & 0xffff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((buffer >> bits) & 0xff);
    }
  }
  // What is left over is padding; another value of it, or a letter more, would be a second spelling.
  const isPadding = bits < 5 && (buffer & ((1 << bits) - 1)) === 0;
  return isPadding ? Buffer.from(bytes) : undefined;
};

export const newId = (tableNumber: number): string => {
  const body = Buffer.concat([Buffer.from(varint(tableNumber)), random()]);
  return toBase32(Buffer.concat([body, Buffer.from(checksum(body))]));
};

/** @returns the number of the table; undefined for what is no id */
export const tableNumberOf = (id: string): number | undefined => {
  if (id.length > MAX_LENGTH) return undefined;
  const bytes = fromBase32(id);
  if (!bytes || bytes.length <= RANDOM_BYTES + CHECKSUM_BYTES) return undefined;
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  const [low, high] = checksum(body);
  if (bytes.at(-2) !== low || bytes.at(-1) !== high) return undefined;
  const head = body.subarray(0, -RANDOM_BYTES);
  let number = 0;
  for (const [place, byte] of head.entries()) {
    const isLast = place === head.length - 1;
    if (byte >= 0x80 === isLast) return undefined;
    number += (byte & 0x7f) * 2 ** (7 * place);
  }
  return number;
};

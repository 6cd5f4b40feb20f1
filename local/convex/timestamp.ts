// Timestamps as the clients carry them: base64 of 8 bytes, little-endian.

export const encodeTs = (ts: bigint): string => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(ts);
  return bytes.toString("base64");
};

/** @returns undefined for what is no timestamp */
export const decodeTs = (encoded: string): bigint | undefined => {
  const bytes = Buffer.from(encoded, "base64");
  return bytes.length === 8 ? bytes.readBigUInt64LE() : undefined;
};

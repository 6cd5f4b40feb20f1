// CRC-32C (Castagnoli, RFC 3720), the checksum that Cloud Storage gives every object. Eight bytes
// a step ("slicing by eight"), because each stored byte passes through here.

const POLYNOMIAL = 0x82f63b78;

/** Eight tables of 256: table k advances a byte past k further zero bytes. */
const TABLES = (() => {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  const [first = new Int32Array()] = tables;
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[byte] = crc;
  }
  for (let k = 1; k < 8; k += 1) {
    const [table, previous] = [tables[k] as Int32Array, tables[k - 1] as Int32Array];
    for (let byte = 0; byte < 256; byte += 1) {
      const crc = previous[byte] as number;
      table[byte] = (crc >>> 8) ^ (first[crc & 0xff] as number);
    }
  }
  return tables;
})();
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/**
 * Continues a CRC-32C over `data`.
 * @param crc result of the bytes before, 0 at the start
 * @returns a signed 32-bit number
 */
export const crc32c = (data: Uint8Array, crc = 0): number => {
  let c = ~crc;
  let at = 0;
  const blocksEnd = data.length - (data.length % 8);
  // The indexes are in bounds by the masks and the loop; `!` keeps the checks out of the hot path.
  for (; at < blocksEnd; at += 8) {
    c ^= data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    c =
      T7[c & 0xff]! ^
      T6[(c >>> 8) & 0xff]! ^
      T5[(c >>> 16) & 0xff]! ^
      T4[c >>> 24]! ^
      T3[data[at + 4]!]! ^
      T2[data[at + 5]!]! ^
      T1[data[at + 6]!]! ^
      T0[data[at + 7]!]!;
  }
  for (; at < data.length; at += 1) c = T0[(c ^ data[at]!) & 0xff]! ^ (c >>> 8);
  return ~c;
};

/** As Cloud Storage writes it: base64 of the four bytes, the highest first. */
export const crc32cBase64 = (crc: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(crc);
  return bytes.toString("base64");
};

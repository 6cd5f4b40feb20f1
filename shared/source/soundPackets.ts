// An MPEG transport stream that is read for its sound: packets of its pictures, nineteen in twenty of
// its bytes, are dropped while they arrive instead of being held, piped and thrown away by ffmpeg.
// What is not understood for sure passes as it is.
import type { ByteCollector } from "./answers.ts";

const PACKET_BYTES = 188;
const SYNC = 0x47;
const PAT_PID = 0;
/** Stream types of ISO/IEC 13818-1 (and AVS, VC-1, Dirac) that are pictures. */
const PICTURE_TYPES = new Set([0x01, 0x02, 0x10, 0x1b, 0x20, 0x24, 0x33, 0x42, 0xd1, 0xea]);
const FIRST_ROOM_BYTES = 256 * 1024;

export class SoundPackets implements ByteCollector {
  #kept = Buffer.allocUnsafeSlow(FIRST_ROOM_BYTES);
  #length = 0;
  /** The beginning of a packet that the next chunk goes on with. */
  #rest: Buffer = Buffer.alloc(0);
  /** Whether these are packets at all, one right after another. */
  #inStep = true;
  readonly #tables = new Set<number>();
  readonly #pictures = new Set<number>();

  push(chunk: Buffer): void {
    if (!this.#inStep) return this.#keep(chunk);
    let at = 0;
    if (this.#rest.length > 0) {
      at = PACKET_BYTES - this.#rest.length;
      const packet = Buffer.concat([this.#rest, chunk.subarray(0, at)]);
      this.#rest = packet;
      if (packet.length < PACKET_BYTES) return;
      this.#rest = Buffer.alloc(0);
      this.#sift(packet);
    }
    const rest = this.#sift(chunk.subarray(at));
    this.#rest = Buffer.from(rest); // a copy: the chunk is not held for it
  }

  finish(): Buffer {
    this.#keep(this.#rest);
    this.#rest = Buffer.alloc(0);
    return this.#kept.subarray(0, this.#length);
  }

  /** @returns what is left after the last whole packet */
  #sift(bytes: Buffer): Buffer {
    if (!this.#inStep) {
      this.#keep(bytes);
      return Buffer.alloc(0);
    }
    let at = 0;
    /** What lies between this and `at` is kept. */
    let from = 0;
    for (; at + PACKET_BYTES <= bytes.length; at += PACKET_BYTES) {
      if (bytes[at] !== SYNC) {
        this.#inStep = false;
        this.#keep(bytes.subarray(from));
        return Buffer.alloc(0);
      }
      const pid = (((bytes[at + 1] as number) & 0x1f) << 8) | (bytes[at + 2] as number);
      if (this.#pictures.has(pid)) {
        if (at > from) this.#keep(bytes.subarray(from, at));
        from = at + PACKET_BYTES;
      } else if (pid === PAT_PID || this.#tables.has(pid)) {
        this.#readTable(pid, bytes.subarray(at, at + PACKET_BYTES));
      }
    }
    this.#keep(bytes.subarray(from, at));
    return bytes.subarray(at);
  }

  /** Learns from a table that lies in one packet, as those of a recording do. */
  #readTable(pid: number, packet: Buffer): void {
    const starts = ((packet[1] as number) & 0x40) !== 0;
    const control = ((packet[3] as number) >> 4) & 3;
    const payload = 4 + ((control & 2) === 0 ? 0 : 1 + (packet[4] as number));
    if (!starts || (control & 1) === 0 || payload >= PACKET_BYTES) return;
    const table = packet.subarray(payload + 1 + (packet[payload] as number));
    if (table.length < 12) return;
    const end = 3 + (table.readUInt16BE(1) & 0xfff) - 4; // its checksum is not read
    const isCurrent = ((table[5] as number) & 1) === 1;
    if (end > table.length || !isCurrent) return;
    if (pid === PAT_PID && table[0] === 0) {
      for (let at = 8; at + 4 <= end; at += 4)
        if (table.readUInt16BE(at) !== 0) this.#tables.add(table.readUInt16BE(at + 2) & 0x1fff);
    } else if (pid !== PAT_PID && table[0] === 2) {
      this.#readStreams(table, end);
    }
  }

  #readStreams(table: Buffer, end: number): void {
    let at = 12 + (table.readUInt16BE(10) & 0xfff);
    while (at + 5 <= end) {
      const streamPid = table.readUInt16BE(at + 1) & 0x1fff;
      const isPicture = PICTURE_TYPES.has(table[at] as number);
      if (isPicture && streamPid !== PAT_PID && !this.#tables.has(streamPid))
        this.#pictures.add(streamPid);
      else this.#pictures.delete(streamPid);
      at += 5 + (table.readUInt16BE(at + 3) & 0xfff);
    }
  }

  #keep(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#kept.length) {
      const wider = Buffer.allocUnsafeSlow(Math.max(length, this.#kept.length * 2));
      this.#kept.copy(wider, 0, 0, this.#length);
      this.#kept = wider;
    }
    bytes.copy(this.#kept, this.#length);
    this.#length = length;
  }
}

/** The same of bytes that are here already. */
export const soundPacketsOf = (bytes: Buffer): Buffer => {
  const packets = new SoundPackets();
  packets.push(bytes);
  return packets.finish();
};

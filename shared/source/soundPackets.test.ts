import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findFfmpeg } from "../media/ffmpeg.ts";
import { SoundPackets, soundPacketsOf } from "./soundPackets.ts";
import { makeMedia, pictureInput, sweepInput } from "./testMedia.ts";

const PACKET_BYTES = 188;
const ffmpeg = await findFfmpeg();
let folder: string;
let recording: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "klip-sound-"));
  const path = join(folder, "both.ts");
  const tracks = ["-map", "0:v", "-map", "1:a", "-c:v", "mpeg2video", "-c:a", "aac"];
  await makeMedia([...pictureInput(3), ...sweepInput(3), ...tracks, path]);
  recording = await readFile(path);
});
afterAll(() => rm(folder, { recursive: true }));

const pidsOf = (bytes: Buffer): Set<number> => {
  const pids = new Set<number>();
  for (let at = 0; at < bytes.length; at += PACKET_BYTES)
    pids.add(bytes.readUInt16BE(at + 1) & 0x1fff);
  return pids;
};

/** Every packet of the sound as ffmpeg finds it, with its time and checksum. */
const soundIn = async (bytes: Buffer): Promise<string> => {
  const path = join(folder, `${bytes.length}.ts`);
  await writeFile(path, bytes);
  const args = ["-v", "error", "-copyts", "-i", path, "-map", "0:a", "-f", "framecrc", "-"];
  return (await promisify(execFile)(ffmpeg.path, args)).stdout;
};

/** Packets of a hand-made stream: tables of one section each, and payloads without any. */
const packet = (pid: number, payload: number[], starts = true): Buffer => {
  const head = [0x47, (starts ? 0x40 : 0) | (pid >> 8), pid & 0xff, 0x10];
  return Buffer.concat([Buffer.from([...head, ...payload]), Buffer.alloc(PACKET_BYTES, 0xff)], 188);
};
const section = (table: number, body: number[], isCurrent = 1): number[] => {
  const head = [0, table, 0xb0, 5 + body.length + 4, 0, 1, 0xc0 | isCurrent, 0, 0];
  return head.concat(body, [0, 0, 0, 0]);
};
const PROGRAMS = packet(0, section(0, [0, 1, 0xe1, 0x00]));
const STREAMS = [0xe1, 0x01, 0xf0, 0, 0x1b, 0xe1, 0x01, 0xf0, 0, 0x0f, 0xe1, 0x02, 0xf0, 0];
const TABLE = packet(0x100, section(2, STREAMS));
const PICTURE = packet(0x101, [1]);
const SOUND = packet(0x102, [2]);

describe("packets of sound", () => {
  it("are all that is left beside the tables, and decode to the same", async () => {
    const kept = soundPacketsOf(recording);
    expect(kept.length).toBeLessThan(recording.length / 3);
    expect([...pidsOf(recording)].filter((pid) => !pidsOf(kept).has(pid))).toEqual([0x100]);
    expect(await soundIn(kept)).toBe(await soundIn(recording));
  });

  it.each([1, 100, 187, 188, 189, 1000, 65_536])("are the same in portions of %d", (size) => {
    const packets = new SoundPackets();
    for (let at = 0; at < recording.length; at += size)
      packets.push(Buffer.from(recording.subarray(at, at + size)));
    expect(packets.finish().equals(soundPacketsOf(recording))).toBe(true);
  });

  it.each([
    ["tables, picture, sound", [PROGRAMS, TABLE, PICTURE, SOUND], [PROGRAMS, TABLE, SOUND]],
    ["picture before the tables", [PICTURE, PROGRAMS, TABLE], [PICTURE, PROGRAMS, TABLE]],
    ["no list of programs", [TABLE, PICTURE, SOUND], [TABLE, PICTURE, SOUND]],
    ["the end of a packet", [PROGRAMS, TABLE, SOUND.subarray(0, 99)], null],
    ["a table of later", [PROGRAMS, packet(0x100, section(2, STREAMS, 0)), PICTURE], null],
    [
      "a table that goes on in the next packet",
      [PROGRAMS, packet(0x100, [0, 2, 0xb1, 0, ...section(2, STREAMS).slice(4)]), PICTURE],
      null,
    ],
    [
      "streams that change places",
      [
        PROGRAMS,
        TABLE,
        PICTURE,
        packet(0x100, section(2, [...STREAMS.slice(0, 4), 0x0f, 0xe1, 1, 0xf0, 0])),
        PICTURE,
      ],
      [
        PROGRAMS,
        TABLE,
        packet(0x100, section(2, [...STREAMS.slice(0, 4), 0x0f, 0xe1, 1, 0xf0, 0])),
        PICTURE,
      ],
    ],
    [
      "packets out of step, from there on",
      [PROGRAMS, TABLE, PICTURE, Buffer.from([1]), PICTURE, SOUND],
      [PROGRAMS, TABLE, Buffer.from([1]), PICTURE, SOUND],
    ],
    ["something else", [Buffer.from("ID3, and not a packet at all")], null],
    [
      "a table whose lengths lie",
      [PROGRAMS, packet(0x100, section(2, [0xe1, 1, 0xff, 0xff])), PICTURE],
      null,
    ],
    ["nothing", [], null],
  ])("%s", (_what, sent, kept) => {
    expect(soundPacketsOf(Buffer.concat(sent))).toEqual(Buffer.concat(kept ?? sent));
  });
});

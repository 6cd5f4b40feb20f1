// The picture of a sample, drawn frame by frame: a landscape that changes every ten seconds, a figure
// that walks through it, a clock that can be read, and flashes in the moments.
import type { StreamPlan } from "./plan.ts";
import { randomFrom } from "./random.ts";

export const WIDTH = 640;
export const HEIGHT = 360;
export const FRAMES_PER_SEC = 10;

const SCENE_SEC = 10;
const WHITE = 235;

/** Digits and colon, seven rows of five dots each, as bits. */
const GLYPHS: Readonly<Record<string, readonly number[]>> = {
  "0": [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
  "1": [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
  "2": [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
  "3": [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110],
  "4": [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
  "5": [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
  "6": [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
  "7": [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
  "8": [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
  "9": [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
  ":": [0b00000, 0b00100, 0b00100, 0b00000, 0b00100, 0b00100, 0b00000],
  ".": [0b00000, 0b00000, 0b00000, 0b00000, 0b00000, 0b01100, 0b01100],
};

/** One colour: brightness and the two differences of YCbCr. */
type Color = readonly [y: number, cb: number, cr: number];

/** A frame in planar YCbCr, colours at half resolution (ffmpeg's `yuv420p`). */
class Frame {
  readonly bytes = Buffer.alloc((WIDTH * HEIGHT * 3) / 2);

  /** Edges are moved to even dots, so that colour and brightness agree. */
  fill(left: number, top: number, width: number, height: number, [y, cb, cr]: Color): void {
    const even = (x: number, max: number): number =>
      2 * Math.round(Math.min(max, Math.max(0, x)) / 2);
    const [x0, x1] = [even(left, WIDTH), even(left + width, WIDTH)];
    const [y0, y1] = [even(top, HEIGHT), even(top + height, HEIGHT)];
    if (x1 <= x0) return;
    for (let row = y0; row < y1; row += 1) this.bytes.fill(y, row * WIDTH + x0, row * WIDTH + x1);
    for (const [plane, value] of [cb, cr].entries()) {
      const start = WIDTH * HEIGHT + (plane * WIDTH * HEIGHT) / 4;
      for (let row = y0 / 2; row < y1 / 2; row += 1) {
        const at = start + (row * WIDTH) / 2;
        this.bytes.fill(value, at + x0 / 2, at + x1 / 2);
      }
    }
  }

  text(text: string, left: number, top: number, dot: number, color: Color): void {
    for (const [i, letter] of text.split("").entries()) {
      for (const [row, bits] of (GLYPHS[letter] ?? []).entries()) {
        for (let column = 0; column < 5; column += 1) {
          if (((bits >> (4 - column)) & 1) === 0) continue;
          this.fill(left + (i * 6 + column) * dot, top + row * dot, dot, dot, color);
        }
      }
    }
  }
}

const clockOf = (sec: number): string => {
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  return `${two(sec / 60)}:${two(sec % 60)}.${Math.floor((sec * 10) % 10)}`;
};

/** The landscape of one scene, to be copied under each of its frames. */
const backdrop = (seed: number, scene: number): Frame => {
  const random = randomFrom(seed * 1000 + scene);
  const frame = new Frame();
  const sky: Color = [random.int(60, 130), random.int(125, 160), random.int(100, 130)];
  const ground: Color = [random.int(40, 90), random.int(90, 120), random.int(105, 150)];
  frame.fill(0, 0, WIDTH, HEIGHT, sky);
  for (let i = 0; i < 7; i += 1) {
    const width = random.int(40, 120);
    const height = random.int(40, 150);
    const shade: Color = [random.int(30, 110), random.int(105, 150), random.int(105, 150)];
    frame.fill(random.int(-20, WIDTH), 250 - height, width, height, shade);
  }
  frame.fill(0, 250, WIDTH, HEIGHT - 250, ground);
  return frame;
};

/** All frames in order, `WIDTH × HEIGHT`, `yuv420p`. */
export function* drawFrames(plan: StreamPlan): Generator<Buffer> {
  const count = Math.round(plan.durationSec * FRAMES_PER_SEC);
  const frame = new Frame();
  let scene = -1;
  let under = frame;
  for (let i = 0; i < count; i += 1) {
    const sec = i / FRAMES_PER_SEC;
    const now = Math.floor(sec / SCENE_SEC);
    if (now !== scene) [scene, under] = [now, backdrop(plan.seed, now)];
    under.bytes.copy(frame.bytes);
    const wild = plan.moments.some((moment) => sec >= moment.startSec && sec < moment.endSec);
    const walked = (sec * (wild ? 160 : 40)) % (WIDTH + 60);
    const hop = wild ? 50 * Math.abs(Math.sin(sec * 9)) : 6 * Math.abs(Math.sin(sec * 4));
    frame.fill(walked - 60, 190 - hop, 36, 60, [180, 90, wild ? 200 : 150]);
    frame.fill(walked - 54, 166 - hop, 24, 24, [200, 110, 150]);
    if (wild && i % 4 < 2) {
      frame.fill(0, 0, WIDTH, 12, [210, 40, 150]);
      frame.fill(0, HEIGHT - 12, WIDTH, 12, [210, 40, 150]);
    }
    frame.fill(16, 292, 264, 56, [16, 128, 128]);
    frame.text(clockOf(sec), 24, 300, 6, [WHITE, 128, 128]);
    yield Buffer.from(frame.bytes);
  }
}

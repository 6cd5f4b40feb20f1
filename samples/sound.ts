// The sound of a sample: the voice at its planned times, louder where it is excited, cheering in the
// moments, a jingle for a raid, and a low hum under everything.
import { wav } from "#shared/speech/wav.ts";
import { LEVELS } from "./loudnessModel.ts";
import type { StreamPlan, Utterance } from "./plan.ts";
import { randomFrom } from "./random.ts";
import type { Voice } from "./voice.ts";

export interface SpokenUtterance extends Utterance {
  /** When the voice really ends. */
  endSec: number;
}

export interface Sound {
  sampleRateHz: number;
  samples: Float32Array;
  /** What was said, with exact times. */
  spoken: SpokenUtterance[];
}

const amplitude = (db: number): number => 10 ** (db / 20);

const rms = (samples: Float32Array): number =>
  Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / Math.max(1, samples.length));

const addHum = (samples: Float32Array, sampleRateHz: number, seed: number): void => {
  const random = randomFrom(seed + 1);
  const tone = amplitude(LEVELS.humDb);
  const step = (2 * Math.PI) / sampleRateHz;
  for (let i = 0; i < samples.length; i += 1) {
    const tones = Math.sin(110 * step * i) + 0.6 * Math.sin(165 * step * i);
    samples[i] = samples[i]! + tone * (0.9 * tones + random.next() - 0.5);
  }
};

/** Noise through two low passes, rising and dying away: a crowd. */
const addCheer = (
  samples: Float32Array,
  sampleRateHz: number,
  seed: number,
  span: { startSec: number; endSec: number },
): void => {
  const random = randomFrom(seed + Math.round(span.startSec * 1000));
  const from = Math.round((span.startSec + 0.5) * sampleRateHz);
  const to = Math.min(samples.length, Math.round(span.endSec * sampleRateHz));
  const level = amplitude(LEVELS.cheerDb) * 6;
  let [low, lower] = [0, 0];
  for (let i = from; i < to; i += 1) {
    const part = (i - from) / (to - from);
    low += 0.25 * (2 * random.next() - 1 - low);
    lower += 0.02 * (low - lower);
    const envelope = Math.min(1, part / 0.15, (1 - part) / 0.3);
    samples[i] = samples[i]! + level * envelope * (low - lower);
  }
};

/** Four notes over and over, each dying away. */
const NOTES_HZ = [523.25, 659.25, 783.99, 1046.5];
const NOTE_SEC = 0.25;

const addJingle = (
  samples: Float32Array,
  sampleRateHz: number,
  span: { startSec: number; endSec: number },
): void => {
  const from = Math.round(span.startSec * sampleRateHz);
  const to = Math.min(samples.length, Math.round(span.endSec * sampleRateHz));
  const level = amplitude(LEVELS.jingleDb) * 2.1;
  for (let i = from; i < to; i += 1) {
    const sec = (i - from) / sampleRateHz;
    const note = NOTES_HZ[Math.floor(sec / NOTE_SEC) % NOTES_HZ.length]!;
    const fade = 1 - 0.7 * ((sec % NOTE_SEC) / NOTE_SEC);
    samples[i] = samples[i]! + level * fade * Math.sin(2 * Math.PI * note * sec);
  }
};

/** Mixes the sound; the same plan and voice give the same samples. */
export const mixSound = (plan: StreamPlan, voice: Voice): Sound => {
  const { sampleRateHz } = voice;
  const samples = new Float32Array(Math.round(plan.durationSec * sampleRateHz));
  const spoken = plan.utterances.map((utterance): SpokenUtterance => {
    const said = voice.speak(utterance.text, utterance.excited);
    const gain = amplitude(utterance.excited ? LEVELS.excitedDb : LEVELS.calmDb) / (rms(said) || 1);
    const from = Math.round(utterance.startSec * sampleRateHz);
    const length = Math.max(0, Math.min(said.length, samples.length - from));
    for (let i = 0; i < length; i += 1) {
      samples[from + i] = samples[from + i]! + gain * said[i]!;
    }
    return { ...utterance, endSec: utterance.startSec + length / sampleRateHz };
  });
  for (const moment of plan.moments) addCheer(samples, sampleRateHz, plan.seed, moment);
  for (const decoy of plan.decoys) {
    if (decoy.kind === "jingle") addJingle(samples, sampleRateHz, decoy);
  }
  addHum(samples, sampleRateHz, plan.seed);
  // Peaks are rounded off as a streamer's limiter does.
  for (let i = 0; i < samples.length; i += 1) samples[i] = Math.tanh(samples[i]!);
  return { sampleRateHz, samples, spoken };
};

/** The sound as a WAV file, 16 bit mono. */
export const toWav = ({ samples, sampleRateHz }: Sound): Buffer => {
  const bytes = Buffer.alloc(samples.length * 2);
  for (const [i, x] of samples.entries()) bytes.writeInt16LE(Math.round(x * 32_767), i * 2);
  return wav(bytes, sampleRateHz);
};

/** Mean level of every 100 ms in dB below full scale; silence is -100. */
export const loudnessOf = ({ samples, sampleRateHz }: Sound): number[] => {
  const step = sampleRateHz / 10;
  return Array.from({ length: Math.ceil(samples.length / step) }, (_, i) => {
    const level = rms(samples.subarray(Math.round(i * step), Math.round((i + 1) * step)));
    return level > 0 ? Math.max(-100, 20 * Math.log10(level)) : -100;
  });
};

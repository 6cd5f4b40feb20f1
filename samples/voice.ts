// The streamer's voice: eSpeak NG, compiled to WebAssembly, so that a sample needs nothing installed
// and nothing from the network.
import load from "@echogarden/espeak-ng-emscripten";

export interface Voice {
  sampleRateHz: number;
  /** Mono samples between -1 and 1, without the silence around them. */
  speak(text: string, excited: boolean): Float32Array;
}

/** Quieter than this is the silence that the voice leaves before and after. */
const SILENCE = 0.01;

const trimmed = (samples: Float32Array): Float32Array => {
  let from = 0;
  let to = samples.length;
  while (from < to && Math.abs(samples[from]!) < SILENCE) from += 1;
  while (to > from && Math.abs(samples[to - 1]!) < SILENCE) to -= 1;
  return samples.subarray(from, to);
};

export const loadVoice = async (): Promise<Voice> => {
  const { eSpeakNGWorker } = await load();
  const worker = new eSpeakNGWorker();
  worker.set_voice("en-us", "", 0, 0, 0);
  return {
    sampleRateHz: worker.get_samplerate(),
    speak(text, excited) {
      worker.set_rate(excited ? 190 : 170);
      worker.set_pitch(excited ? 68 : 45);
      worker.set_range(excited ? 90 : 50);
      const parts: Int16Array[] = [];
      worker.synthesize(text, (samples) => {
        if (samples !== null) parts.push(samples);
        return false;
      });
      const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        for (const sample of part) {
          whole[at] = sample / 32_768;
          at += 1;
        }
      }
      return trimmed(whole);
    },
  };
};

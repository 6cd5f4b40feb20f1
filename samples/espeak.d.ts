// The part that we use of a package that brings no types.
declare module "@echogarden/espeak-ng-emscripten" {
  interface Worker {
    set_voice(name: string, language: string, gender: number, age: number, variant: number): number;
    set_rate(wordsPerMinute: number): void;
    set_pitch(pitch: number): void;
    set_range(range: number): void;
    get_samplerate(): number;
    /** Calls back with 16-bit mono samples; true from the callback stops it. */
    synthesize(text: string, heard: (samples: Int16Array | null) => boolean): void;
  }
  export default function load(): Promise<{ eSpeakNGWorker: new () => Worker }>;
}

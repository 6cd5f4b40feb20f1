// What functions were measured to use for a whole job (`npm run bench -- stages`; bench/README.md has the
// runs): 20 November 2026, 30,000 chat messages an hour. An hour was 1080p60 at 6 Mbit/s with five clips; six
// hours were sound alone, so that what is made of the picture is the hour's, as its size is not the video's.

/** Sums over a job's tasks. */
export interface Use {
  requests: number;
  /** Of all processes, ffmpeg included; without the start of the instance. */
  cpuSec: number;
  /** Operations of Cloud Storage, by price class. */
  classA: number;
  classB: number;
  convexCalls: number;
  /** Requests to the site or the speech service. */
  outside: number;
  logBytes: number;
}

export interface Figures {
  /** Processors at work at once while it computes, on a quiet machine. */
  cores: number;
  oneHour: Use;
  sixHours: Use;
}

export const FIGURES: Readonly<Record<string, Figures>> = {
  submit: {
    cores: 1,
    oneHour: {
      requests: 1,
      cpuSec: 0.6,
      classA: 0,
      classB: 0,
      convexCalls: 2,
      outside: 1,
      logBytes: 0,
    },
    sixHours: {
      requests: 1,
      cpuSec: 0.5,
      classA: 0,
      classB: 0,
      convexCalls: 2,
      outside: 1,
      logBytes: 0,
    },
  },
  ingest: {
    cores: 1,
    oneHour: {
      requests: 1,
      cpuSec: 1.2,
      classA: 2,
      classB: 2,
      convexCalls: 3,
      outside: 10,
      logBytes: 244,
    },
    sixHours: {
      requests: 1,
      cpuSec: 1.0,
      classA: 2,
      classB: 2,
      convexCalls: 3,
      outside: 7,
      logBytes: 244,
    },
  },
  media: {
    cores: 1,
    oneHour: {
      requests: 12,
      cpuSec: 16.8,
      classA: 72,
      classB: 60,
      convexCalls: 58,
      outside: 384,
      logBytes: 2906,
    },
    sixHours: {
      requests: 72,
      cpuSec: 85.0,
      classA: 432,
      classB: 360,
      convexCalls: 369,
      outside: 2336,
      logBytes: 17486,
    },
  },
  chat: {
    cores: 1,
    oneHour: {
      requests: 3,
      cpuSec: 2.7,
      classA: 6,
      classB: 12,
      convexCalls: 16,
      outside: 525,
      logBytes: 719,
    },
    sixHours: {
      requests: 13,
      cpuSec: 9.6,
      classA: 26,
      classB: 52,
      convexCalls: 95,
      outside: 3145,
      logBytes: 3122,
    },
  },
  transcribe: {
    cores: 1,
    oneHour: {
      requests: 12,
      cpuSec: 3.0,
      classA: 24,
      classB: 60,
      convexCalls: 36,
      outside: 13,
      logBytes: 3015,
    },
    sixHours: {
      requests: 72,
      cpuSec: 10.7,
      classA: 144,
      classB: 360,
      convexCalls: 242,
      outside: 73,
      logBytes: 18143,
    },
  },
  analyze: {
    cores: 1,
    oneHour: {
      requests: 1,
      cpuSec: 3.2,
      classA: 13,
      classB: 56,
      convexCalls: 3,
      outside: 1,
      logBytes: 246,
    },
    sixHours: {
      requests: 1,
      cpuSec: 8.1,
      classA: 28,
      classB: 308,
      convexCalls: 6,
      outside: 1,
      logBytes: 247,
    },
  },
  highlights: {
    cores: 1,
    oneHour: {
      requests: 1,
      cpuSec: 2.9,
      classA: 5,
      classB: 10,
      convexCalls: 8,
      outside: 1,
      logBytes: 253,
    },
    sixHours: {
      requests: 1,
      cpuSec: 8.6,
      classA: 5,
      classB: 10,
      convexCalls: 7,
      outside: 1,
      logBytes: 253,
    },
  },
  clips: {
    cores: 1.5,
    oneHour: {
      requests: 5,
      cpuSec: 66.5,
      classA: 35,
      classB: 35,
      convexCalls: 30,
      outside: 19,
      logBytes: 1215,
    },
    sixHours: {
      requests: 5,
      cpuSec: 66.5,
      classA: 35,
      classB: 35,
      convexCalls: 30,
      outside: 19,
      logBytes: 1215,
    },
  },
  finish: {
    cores: 1.1,
    oneHour: {
      requests: 1,
      cpuSec: 3.3,
      classA: 39,
      classB: 71,
      convexCalls: 14,
      outside: 1,
      logBytes: 246,
    },
    sixHours: {
      requests: 1,
      cpuSec: 3.8,
      classA: 39,
      classB: 71,
      convexCalls: 16,
      outside: 1,
      logBytes: 246,
    },
  },
};

/** Left in the bucket: intermediate results for two weeks, what people got until they delete it. */
export const STORED = {
  stages: { fixedBytes: 12e6, bytesPerHour: 103e6 },
  jobs: { fixedBytes: 21e6, bytesPerHour: 20.5e6 },
} as const;

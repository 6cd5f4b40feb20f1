// List prices in US dollars, without free allowances and discounts, for us-central1 and other regions of
// tier 1. They change: `seen` says when the page was last looked up, and whoever budgets looks again.

export interface Price {
  usd: number;
  per: string;
  source: string;
  /** ISO date. */
  seen: string;
}

const SEEN = "2026-11-20";
const RUN = "https://cloud.google.com/run/pricing";
const STORAGE = "https://cloud.google.com/storage/pricing";

const price = (usd: number, per: string, source: string): Price => ({
  usd,
  per,
  source,
  seen: SEEN,
});

export const PRICES = {
  /** Services whose processor is paid for while they answer (request-based billing). */
  vcpuSec: price(0.000024, "vCPU and second", RUN),
  gibSec: price(0.0000025, "GiB of memory and second", RUN),
  runRequest: price(0.4 / 1e6, "request", RUN),
  /** Each publish and each push counts as 1000 bytes at least. */
  pubsubByte: price(
    40 / 2 ** 40,
    "byte published or delivered",
    "https://cloud.google.com/pubsub/pricing",
  ),
  /** Writing, copying, listing. */
  classA: price(0.005 / 1000, "operation", STORAGE),
  /** Reading, and reading metadata. */
  classB: price(0.0004 / 1000, "operation", STORAGE),
  storedGbMonth: price(0.02, "GB and month, standard class", STORAGE),
  /** To the internet, the first terabytes. */
  egressGb: price(0.12, "GB", STORAGE),
  /** Beyond the 25 million of a month that the Professional plan includes. */
  convexCall: price(2 / 1e6, "function call", "https://docs.convex.dev/production/state/limits"),
  logGib: price(0.5, "GiB", "https://cloud.google.com/stackdriver/pricing"),
} as const satisfies Record<string, Price>;

/** Of transcription, for a minute of sound; whisper is run by ourselves. */
export const SPEECH_PRICES = {
  openai: price(0.006, "minute, whisper-1", "https://platform.openai.com/docs/pricing"),
  deepgram: price(0.0043, "minute, Nova-3, prerecorded", "https://deepgram.com/pricing"),
  google: price(0.016, "minute, v2 standard", "https://cloud.google.com/speech-to-text/pricing"),
} as const satisfies Record<string, Price>;

// `manifest.json`: the list of everything a job left under `jobs/<jobId>/`.
import { z } from "zod";
import { AnalysisOptions } from "./options.ts";
import { Warning } from "./warnings.ts";

export const MANIFEST = "manifest.json";

/** Folder of a job's outputs in the bucket, with a closing slash. */
export const jobPrefix = (jobId: string): string => `jobs/${jobId}/`;

export const ManifestOutput = z.object({
  /** Path below the job's folder, such as `clips/01.mp4`. */
  name: z.string(),
  content_type: z.string(),
  size_bytes: z.int(),
  sha256: z.string(),
  /** Name in the bucket. */
  object: z.string(),
});
export type ManifestOutput = z.infer<typeof ManifestOutput>;

export const Manifest = z.object({
  version: z.literal(1),
  job_id: z.string(),
  status: z.literal("Completed"),
  source: z.object({
    url: z.string(),
    provider: z.string(),
    title: z.string().nullable(),
    channel: z.string().nullable(),
  }),
  options: AnalysisOptions,
  duration_sec: z.number(),
  outputs: z.array(ManifestOutput),
  highlights: z.array(
    z.object({
      rank: z.int(),
      start_sec: z.number(),
      end_sec: z.number(),
      peak_sec: z.number(),
      score: z.number(),
      title: z.string(),
      clip: z.string().nullable(),
    }),
  ),
  warnings: z.array(Warning),
  /** Version of each stage's code. */
  versions: z.record(z.string(), z.int()),
  timings: z.object({
    started_at: z.iso.datetime(),
    finished_at: z.iso.datetime(),
    total_sec: z.number(),
  }),
});
export type Manifest = z.infer<typeof Manifest>;

// What a stage is: how its result is named, and how it is made.
import type {
  FanOut,
  OutputRef,
  Summary,
  TaskInput,
  VideoFacts,
  VideoUrls,
} from "../contract/ledger.ts";
import type { Stage } from "../contract/stages.ts";
import type { Warning } from "../contract/warnings.ts";

/** A file a stage made: in memory, on the local disk, or made while it is written. */
export interface StageObject {
  /** File name inside the stage's folder in storage. */
  name: string;
  contentType: string;
  body: Uint8Array | string | { path: string } | AsyncIterable<Uint8Array | string>;
}

export interface StageResult {
  objects: StageObject[];
  summary: Summary;
  warnings?: Warning[];
  fanOut?: FanOut;
  video?: VideoFacts;
}

/** What a running task may use besides what its stage was built with. */
export interface StageContext {
  /** Aborted on time-out, cancellation, a lost lease and SIGTERM. */
  signal: AbortSignal;
  /** A folder of this task's own, removed afterwards. */
  scratchDir: string;
  /** Bytes that folder may hold. */
  scratchBytes: number;
  /** 0 to 1; cheap to call often. */
  progress(fraction: number): void;
}

export interface StageDefinition {
  stage: Stage;
  /** Raised whenever the same inputs would give another result. */
  version: number;
  /** What the result depends on, as plain JSON; hashed into its key. */
  inputs(input: TaskInput): Promise<unknown>;
  run(input: TaskInput, context: StageContext): Promise<StageResult>;
  /** Whether what a found result left outside its own folder is still there; without: nothing. */
  isWhole?(input: TaskInput, summary: Summary): Promise<boolean>;
  /** Says that the work begins, beside the work; nothing depends on it being heard. */
  begin?(input: TaskInput): Promise<void>;
  /** Tells the database what there is now, before the commit; of a found result as of a made one. */
  record?(input: TaskInput, output: OutputRef, attempt: number): Promise<void>;
  /** Addresses to publish with the commit; made anew each time, since signed ones expire. */
  urls?(input: TaskInput, output: OutputRef): Promise<VideoUrls>;
}

// What happens in a sample stream: moments, which a good analysis finds, and decoys, which it does not.
import type { MomentKind } from "./talk.ts";

export interface Span {
  startSec: number;
  endSec: number;
}

export interface Moment extends Span {
  kind: MomentKind;
}

export const DECOY_KINDS = ["raid", "spam"] as const;
/** A burst of chat that is no reaction to the picture; its times are the chat's. */
export interface Decoy extends Span {
  kind: (typeof DECOY_KINDS)[number];
}

// What happens in a sample stream: moments, which a good analysis finds, and decoys, which it does not.
import type { MomentKind } from "./talk.ts";

export interface Span {
  startSec: number;
  endSec: number;
}

export interface Moment extends Span {
  kind: MomentKind;
}

export const DECOY_KINDS = ["raid", "spam", "jingle"] as const;
/**
 * What stands out and is no moment: a raid and spam in chat, whose times are the chat's, and the loud
 * jingle that announces a raid.
 */
export interface Decoy extends Span {
  kind: (typeof DECOY_KINDS)[number];
}

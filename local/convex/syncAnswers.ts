// What functions answered, as the messages of the sync protocol that carry it to a client.
import type { CallResponse, Modification } from "./protocol.ts";
import { type LiveOutcome, type Outcome, errorText } from "./runtime.ts";

export const modificationOf = (queryId: number, { outcome, journal }: LiveOutcome): Modification =>
  outcome.ok
    ? { type: "QueryUpdated", queryId, value: outcome.value, logLines: [], journal }
    : {
        type: "QueryFailed",
        queryId,
        errorMessage: errorText(outcome.message),
        errorData: outcome.data,
        logLines: [],
        journal,
      };

/** @param ts  of a mutation's commit, as timestamp.ts has it */
export const responseOf = (
  type: CallResponse["type"],
  requestId: number,
  outcome: Outcome,
  ts?: string,
): CallResponse =>
  outcome.ok
    ? {
        type,
        requestId,
        success: true,
        result: outcome.value,
        ...(ts === undefined ? {} : { ts }),
        logLines: [],
      }
    : {
        type,
        requestId,
        success: false,
        result: errorText(outcome.message),
        errorData: outcome.data,
        logLines: [],
      };

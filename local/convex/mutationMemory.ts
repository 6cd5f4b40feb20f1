// A client that lost its connection sends its mutations again, also those that were committed.
// What was answered is remembered for a while, so that each runs once.
import type { CallResponse } from "./protocol.ts";

const MAX_SESSIONS = 1_000;
const MAX_PER_SESSION = 1_000;

export interface MutationMemory {
  /** Runs the mutation, or gives the answer of the first time, also while that is running. */
  once(owner: string, requestId: number, run: () => Promise<CallResponse>): Promise<CallResponse>;
}

export const createMutationMemory = (): MutationMemory => {
  // Maps keep the order of insertion; the first is the one unused for longest.
  const sessions = new Map<string, Map<number, Promise<CallResponse>>>();
  return {
    once(owner, requestId, run) {
      const answers = sessions.get(owner) ?? new Map<number, Promise<CallResponse>>();
      sessions.delete(owner);
      sessions.set(owner, answers);
      if (sessions.size > MAX_SESSIONS) forgetFirst(sessions);
      const known = answers.get(requestId);
      if (known) return known;
      const answer = run();
      answers.set(requestId, answer);
      if (answers.size > MAX_PER_SESSION) forgetFirst(answers);
      // Only what was answered is remembered; a crash of the server itself is not an answer.
      answer.catch(() => answers.delete(requestId));
      return answer;
    },
  };
};

const forgetFirst = (map: Map<unknown, unknown>): void => {
  const first = map.keys().next();
  if (!first.done) map.delete(first.value);
};

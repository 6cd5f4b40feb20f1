// What clients' mutations were answered, for the runtime that keeps everything in memory: a client that lost
// its connection sends its mutations again, and each is to run once. The engine keeps this in its file.
import type { ConvexRuntime, SessionRequest } from "./runtime.ts";

const MAX_SESSIONS = 1_000;
const MAX_PER_SESSION = 1_000;

export type MutationAnswer = Awaited<ReturnType<ConvexRuntime["runMutation"]>>;

export interface MutationMemory {
  /** Runs the mutation, or gives the answer of the first time, also while that is running. */
  once(request: SessionRequest, run: () => Promise<MutationAnswer>): Promise<MutationAnswer>;
}

export const createMutationMemory = (): MutationMemory => {
  // Maps keep the order of insertion; the first is the one unused for longest.
  const sessions = new Map<string, Map<number, Promise<MutationAnswer>>>();
  return {
    async once({ session, request }, run) {
      const answers = sessions.get(session) ?? new Map<number, Promise<MutationAnswer>>();
      sessions.delete(session);
      sessions.set(session, answers);
      if (sessions.size > MAX_SESSIONS) forgetFirst(sessions);
      const answer = answers.get(request) ?? run();
      answers.set(request, answer);
      if (answers.size > MAX_PER_SESSION) forgetFirst(answers);
      let isDone = false;
      try {
        const { outcome } = await answer;
        isDone = outcome.ok;
      } finally {
        // What failed has done nothing, and may be tried again.
        if (!isDone && answers.get(request) === answer) answers.delete(request);
      }
      return await answer;
    },
  };
};

const forgetFirst = (map: Map<unknown, unknown>): void => {
  const first = map.keys().next();
  if (!first.done) map.delete(first.value);
};

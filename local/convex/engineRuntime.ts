// The engine as the server wants it: outcomes in place of exceptions, queries that can be followed, and
// mutations that are answered once however often they are sent.
import { dirname } from "node:path";
import type { JSONValue } from "convex/values";
import { fullDisk } from "../fullDisk.ts";
import { affects, readSetOf } from "./engine/readSet.ts";
import {
  type EngineCommit,
  type EngineOptions,
  QueryFailure,
  createEngine,
} from "./engine/engine.ts";
import type { FunctionPath } from "./engine/functions.ts";
import { canonicalPath, failureOf } from "./runtime.ts";
import type { Commit, ConvexRuntime, FunctionCall, LiveOutcome, Outcome } from "./runtime.ts";

const targetOf = (path: string): FunctionPath => ({ component: "", path: canonicalPath(path) });

const succeeded = (json: string): Outcome => ({ ok: true, value: JSON.parse(json) as JSONValue });

export const createEngineRuntime = (options: EngineOptions): ConvexRuntime => {
  const engine = createEngine(options);
  const folder = dirname(options.db.location() ?? "memory");
  const failed = (error: unknown): Outcome => failureOf(fullDisk(error, folder) ?? error);

  return {
    async find(path, access) {
      const found = await engine.find(targetOf(path));
      return !found || (access === "public" && !found.isPublic) ? undefined : found.kind;
    },
    runQueries: (ask, identity) =>
      engine.atSnapshot(async (read, ts) => {
        const results: LiveOutcome[] = [];
        for (const { path, args, journal } of ask()) {
          let outcome: Outcome;
          let seen: Pick<QueryFailure, "reads" | "journal">;
          try {
            const answer = await read({ target: targetOf(path), args, identity }, journal ?? null);
            outcome = succeeded(answer.value);
            seen = answer;
          } catch (error) {
            if (!(error instanceof QueryFailure)) throw error;
            outcome = failureOf(error.thrown);
            seen = error;
          }
          const reads = readSetOf(seen.reads);
          results.push({
            outcome,
            journal: seen.journal,
            isAffectedBy: ({ writes }: Commit) => affects(writes as EngineCommit["writes"], reads),
          });
        }
        return { ts, results };
      }),
    async runMutation({ path, args }: FunctionCall, identity, request) {
      try {
        const { value, ts } = await engine.mutate(
          { target: targetOf(path), args, identity },
          request,
        );
        return { outcome: succeeded(value), ts };
      } catch (error) {
        return { outcome: failed(error), ts: engine.latestTs() };
      }
    },
    async runAction({ path, args }, identity) {
      try {
        return succeeded(await engine.act({ target: targetOf(path), args, identity }));
      } catch (error) {
        return failed(error);
      }
    },
    latestTs: () => engine.latestTs(),
    onCommit: (listener) => engine.onCommit(listener),
    start: () => engine.start(),
    close: () => engine.close(),
  };
};

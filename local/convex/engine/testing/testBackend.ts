// The engine in a test's own hands, with the methods of `convex-test`, so that the same tests run on
// either: functions are called without a server, as whoever the test says, over a database in memory.
import {
  type FunctionReference,
  actionGeneric,
  getFunctionName,
  mutationGeneric,
  queryGeneric,
} from "convex/server";
import type { UserIdentity } from "convex/server";
import { type Value, convexToJson } from "convex/values";
import { canonicalPath } from "../../runtime.ts";
import { type EngineOptions, createEngine } from "../engine.ts";
import { openDatabase } from "../format.ts";
import type { FunctionPath } from "../functions.ts";
import { type Builder, runInline, valueOf } from "./inline.ts";

// Taken before a test puts its own clock in place.
const realTimeout = globalThis.setTimeout;
const MAX_ROUNDS = 100;
/** Looks without anything to do, after which what is left waits for another clock. */
const MAX_IDLE_ROUNDS = 20;

/** A function given in a test's own place: what it returns is what is answered. */
type Call = (reference: AnyReference | Handler, args?: Args) => Promise<unknown>;

export interface TestBackend {
  query: Call;
  mutation: Call;
  action: Call;
  /** Runs as a mutation that reads and writes as it likes. */
  run(handler: Handler): Promise<unknown>;
  runInComponent(component: string, handler: Handler): Promise<unknown>;
  finishInProgressScheduledFunctions(): Promise<void>;
  /** @param advanceTimers  moves the test's clock on to the next timer */
  finishAllScheduledFunctions(advanceTimers: () => void): Promise<void>;
  withIdentity(identity: Partial<UserIdentity>): TestBackend;
}

type AnyReference = FunctionReference<"query" | "mutation" | "action", "public" | "internal">;
type Args = Record<string, Value>;
// oxlint-disable-next-line no-explicit-any -- the contexts of functions are as their module says
type Handler = (ctx: any, args: any) => unknown;

const turn = (): Promise<void> => new Promise((resolve) => realTimeout(resolve, 0));

export const createTestBackend = (options: Omit<EngineOptions, "db">): TestBackend => {
  const engine = createEngine({ db: openDatabase(), ...options });
  const { scheduler } = engine;

  /** What runs may itself wait for a timer. */
  const finishRunning = async (advanceTimers: () => void): Promise<void> => {
    const idle = scheduler.idle();
    while (scheduler.isRunning()) {
      await turn();
      advanceTimers();
    }
    await idle;
  };

  const accessor = (identity: UserIdentity | null): TestBackend => {
    const callOf = (reference: AnyReference, args: Args = {}) => {
      const target: FunctionPath = {
        component: "",
        path: canonicalPath(getFunctionName(reference)),
      };
      return { target, args: convexToJson(args), identity };
    };
    const inline = (builder: Builder, handler: Handler, component = ""): Promise<unknown> =>
      runInline(engine, builder, handler, { identity, component });
    return {
      async query(reference: AnyReference | Handler, args?: Args): Promise<unknown> {
        if (typeof reference === "function") return await inline(queryGeneric, reference);
        return await engine.atSnapshot(async (read) => {
          try {
            return valueOf((await read(callOf(reference, args), null)).value);
          } catch (error) {
            throw (error as { thrown?: unknown }).thrown ?? error;
          }
        });
      },
      async mutation(reference: AnyReference | Handler, args?: Args): Promise<unknown> {
        if (typeof reference === "function") return await inline(mutationGeneric, reference);
        return valueOf((await engine.mutate(callOf(reference, args))).value);
      },
      async action(reference: AnyReference | Handler, args?: Args): Promise<unknown> {
        if (typeof reference === "function") return await inline(actionGeneric, reference);
        return valueOf(await engine.act(callOf(reference, args)));
      },
      run: (handler: Handler): Promise<unknown> => inline(mutationGeneric, handler),
      runInComponent: (component: string, handler: Handler): Promise<unknown> =>
        inline(mutationGeneric, handler, component),
      finishInProgressScheduledFunctions: () => scheduler.idle(),
      async finishAllScheduledFunctions(advanceTimers: () => void): Promise<void> {
        let idle = 0;
        for (let round = 0; round < MAX_ROUNDS; round++) {
          advanceTimers();
          if (scheduler.isRunning()) {
            idle = 0;
            await finishRunning(advanceTimers);
            continue;
          }
          if (!scheduler.hasPending() || idle >= MAX_IDLE_ROUNDS) return;
          idle += 1;
          await turn();
        }
        throw new Error("Scheduled functions went on and on.");
      },
      withIdentity({ issuer = "https://convex.test", subject = "nobody", ...rest }) {
        return accessor({ tokenIdentifier: `${issuer}|${subject}`, ...rest, issuer, subject });
      },
    };
  };
  return accessor(null);
};

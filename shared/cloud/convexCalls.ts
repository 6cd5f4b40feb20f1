// Calls functions of Convex under the service's identity. What a function refuses comes back as the
// `StageError` it names; a database that is away is asked again a few times, and then given up to
// the redelivery of the message.
import { setTimeout as delay } from "node:timers/promises";
import type { ConvexHttpClient, HttpMutationOptions } from "convex/browser";
import type {
  ArgsAndOptions,
  FunctionReference,
  FunctionReturnType,
  OptionalRestArgs,
} from "convex/server";
import { ERRORS, type ErrorCode, StageError } from "../contract/errors.ts";

type Query = FunctionReference<"query">;
type Mutation = FunctionReference<"mutation">;
type Action = FunctionReference<"action">;
type MutationArgs<F extends Mutation> = ArgsAndOptions<F, HttpMutationOptions>;
type Args<F extends Query | Mutation | Action> = F["_args"];

export interface ConvexCalls {
  query<F extends Query>(reference: F, args: Args<F>): Promise<FunctionReturnType<F>>;
  mutation<F extends Mutation>(reference: F, args: Args<F>): Promise<FunctionReturnType<F>>;
  action<F extends Action>(reference: F, args: Args<F>): Promise<FunctionReturnType<F>>;
}

const TRIES = 4;
const FIRST_DELAY_MS = 200;

const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === "string" && Object.hasOwn(ERRORS, code);

/** What a function threw on purpose, as an error of ours; null where it is something else. */
const refusalOf = (error: unknown): StageError | null => {
  if (!(error instanceof Error) || !("data" in error)) return null;
  const data: unknown = typeof error.data === "string" ? JSON.parse(error.data) : error.data;
  if (data === null || typeof data !== "object") return null;
  const { code, message } = data as { code?: unknown; message?: unknown };
  return isErrorCode(code)
    ? new StageError(code, typeof message === "string" ? message : undefined, { cause: error })
    : null;
};

/** @param token gives a token of the service identity that is good for now */
export const createConvexCalls = (options: {
  url: string;
  token: () => Promise<string>;
}): ConvexCalls => {
  let client: Promise<ConvexHttpClient> | undefined;
  const connect = async () => {
    const { ConvexHttpClient } = await import("convex/browser");
    return new ConvexHttpClient(options.url, { logger: false, skipConvexDeploymentUrlCheck: true });
  };

  const withRetry = async <T>(call: (client: ConvexHttpClient) => Promise<T>): Promise<T> => {
    client ??= connect();
    const convex = await client;
    for (let attempt = 1; ; attempt += 1) {
      try {
        convex.setAuth(await options.token());
        return await call(convex);
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal) throw refusal;
        if (attempt === TRIES)
          throw new StageError("ledger_unavailable", undefined, { cause: error });
        await delay(FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
      }
    }
  };

  return {
    query: <F extends Query>(reference: F, args: Args<F>) =>
      withRetry((convex) => convex.query(reference, ...([args] as OptionalRestArgs<F>))),
    action: <F extends Action>(reference: F, args: Args<F>) =>
      withRetry((convex) => convex.action(reference, ...([args] as OptionalRestArgs<F>))),
    // Every mutation we send is safe to send twice; the client's own queue would only slow it down.
    mutation: <F extends Mutation>(reference: F, args: Args<F>) =>
      withRetry((convex) =>
        convex.mutation(reference, ...([args, { skipQueue: true }] as MutationArgs<F>)),
      ),
  };
};

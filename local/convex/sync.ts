// One client's WebSocket: its queries, kept up to date, and its calls. Everything a session does
// is done by one loop, in order, so that a mutation's response always leaves before the
// transition that shows it, and every transition is one snapshot under one identity.
import type { WebSocket } from "ws";
import { createInbox, drained } from "./backpressure.ts";
import { AuthFailure } from "./identity.ts";
import type { Verified, Verify } from "./identity.ts";
import { createLiveQueries } from "./liveQueries.ts";
import { readMessage, textOf } from "./protocol.ts";
import type { ClientMessage, ServerMessage } from "./protocol.ts";
import { noSuchFunction } from "./runtime.ts";
import type { ConvexRuntime, FunctionCall, Outcome } from "./runtime.ts";
import { responseOf } from "./syncAnswers.ts";
import { encodeTs } from "./timestamp.ts";

export interface SyncOptions {
  runtime: ConvexRuntime;
  verify: Verify;
  clock: () => number;
  /** Time without a message after which a Ping is sent. Default 15 s; clients give up at 60 s. */
  pingAfterMs?: number;
}

/** Of one client at once. */
const MAX_QUERIES = 2_000;
const MAX_ACTIONS = 100;

// Close codes of RFC 6455.
const CLOSE_NORMAL = 1000;
const CLOSE_INTERNAL = 1011;
const CLOSE_AGAIN = 1013;

type Received<T extends ClientMessage["type"]> = Extract<ClientMessage, { type: T }>;

/** Serves the socket until it closes. Never throws. */
export const serveSync = (socket: WebSocket, options: SyncOptions): void => {
  const { runtime, verify, clock } = options;
  const pingAfterMs = options.pingAfterMs ?? 15_000;
  const inbox = createInbox<ClientMessage>(socket);
  const queries = createLiveQueries(runtime);
  const told = { querySet: 0, identity: 0, ts: 0n };
  const asked = { querySet: 0, identity: 0 };
  let caller: Verified | null = null;
  let sessionId: string | undefined;
  /** The question changed, or one of our mutations waits to be shown. */
  let mustTransition = false;
  let owesTransition = false;
  let isRunning = false;
  let isOpen = true;
  let runningActions = 0;
  let lastSentMs = clock();

  const send = (message: ServerMessage): void => {
    if (!isOpen) return;
    lastSentMs = clock();
    socket.send(JSON.stringify(message));
  };
  const close = (code: number, reason: string): void => {
    if (!isOpen) return;
    isOpen = false;
    socket.close(code, reason);
  };
  const fatal = (error: string): void => {
    send({ type: "FatalError", error });
    close(CLOSE_NORMAL, "FatalError");
  };
  /** The client fetches another token, or goes on without; either way on a new connection. */
  const refuseAuth = (error: string, baseVersion: number, authUpdateAttempted: boolean): void => {
    send({ type: "AuthError", error, baseVersion, authUpdateAttempted });
    close(CLOSE_NORMAL, "AuthError");
  };
  const hasExpired = (): boolean => {
    if (caller === null || caller.expiresAtMs > clock()) return false;
    refuseAuth("Token expired", asked.identity - 1, false);
    return true;
  };

  const authenticate = async (message: Received<"Authenticate">): Promise<void> => {
    if (message.baseVersion !== asked.identity) return fatal("The identity's version is wrong.");
    if (message.tokenType === "None") caller = null;
    else if (message.tokenType === "Admin") {
      return refuseAuth("Admin keys are for the HTTP API.", message.baseVersion, true);
    } else {
      try {
        caller = await verify(message.value ?? "");
      } catch (error) {
        if (!(error instanceof AuthFailure)) throw error;
        return refuseAuth(error.message, message.baseVersion, true);
      }
    }
    asked.identity++;
    mustTransition = true;
    queries.invalidate();
  };

  const modifyQueries = (message: Received<"ModifyQuerySet">): void => {
    if (message.baseVersion !== asked.querySet || message.newVersion <= message.baseVersion) {
      return fatal("The query set's version is wrong.");
    }
    asked.querySet = message.newVersion;
    mustTransition = true;
    for (const change of message.modifications) {
      if (change.type === "Remove") {
        queries.remove(change.queryId);
        continue;
      }
      if (change.componentPath) return fatal("Functions of components are not callable.");
      const call = { path: change.udfPath, args: change.args[0] ?? {} };
      queries.add(change.queryId, call, change.journal ?? null);
    }
    if (queries.size() > MAX_QUERIES) fatal(`A client has at most ${MAX_QUERIES} queries.`);
  };

  const callOf = (message: Received<"Mutation" | "Action">): FunctionCall => ({
    path: message.udfPath,
    args: message.args[0] ?? {},
  });
  const mutate = async (message: Received<"Mutation">): Promise<void> => {
    if (hasExpired()) return;
    const call = callOf(message);
    const { requestId } = message;
    if (message.componentPath || (await runtime.find(call.path, "public")) !== "mutation") {
      const missing: Outcome = { ok: false, message: noSuchFunction(call.path) };
      send(responseOf("MutationResponse", requestId, missing));
    } else {
      const identity = caller?.identity ?? null;
      // Whoever is signed in by now: a client that was not answered sends it again as somebody else, too.
      const request = { session: sessionId ?? "", request: requestId };
      const { outcome, ts } = await runtime.runMutation(call, identity, request);
      send(responseOf("MutationResponse", requestId, outcome, encodeTs(ts)));
    }
    // The client waits for a transition that comes after the response, changed or not.
    mustTransition = true;
    owesTransition = true;
  };
  const act = async (message: Received<"Action">): Promise<void> => {
    const call = callOf(message);
    let outcome: Outcome;
    if (runningActions >= MAX_ACTIONS) {
      outcome = { ok: false, message: `A client runs at most ${MAX_ACTIONS} actions at once.` };
    } else if (message.componentPath || (await runtime.find(call.path, "public")) !== "action") {
      outcome = { ok: false, message: noSuchFunction(call.path) };
    } else {
      runningActions++;
      outcome = await runtime
        .runAction(call, caller?.identity ?? null)
        .finally(() => runningActions--);
    }
    send(responseOf("ActionResponse", message.requestId, outcome));
  };

  const handle = async (message: ClientMessage): Promise<void> => {
    if (!isOpen) return;
    if (message.type === "Connect") {
      if (sessionId !== undefined) return fatal("Connect comes once.");
      sessionId = message.sessionId;
      return;
    }
    if (message.type === "Event") return;
    if (sessionId === undefined) return fatal("Connect comes first.");
    switch (message.type) {
      case "Authenticate":
        return await authenticate(message);
      case "ModifyQuerySet":
        return modifyQueries(message);
      case "Mutation":
        return await mutate(message);
      case "Action":
        // Not waited for: an action may take minutes, and promises no order.
        if (!hasExpired()) void act(message).catch(broken);
    }
  };

  const transition = async (): Promise<void> => {
    await drain();
    if (!isOpen || (queries.isOutOfDate() && hasExpired())) return;
    mustTransition = false;
    const { ts, modifications } = await queries.refresh(caller?.identity ?? null);
    const isNews =
      modifications.length > 0 ||
      asked.querySet !== told.querySet ||
      asked.identity !== told.identity;
    // An unchanged answer to somebody's commit is not worth a message; our own mutation's is.
    if (!isNews && !owesTransition) return;
    owesTransition = false;
    const startVersion = { ...told, ts: encodeTs(told.ts) };
    if (ts > told.ts) told.ts = ts;
    Object.assign(told, asked);
    send({
      type: "Transition",
      startVersion,
      endVersion: { ...told, ts: encodeTs(told.ts) },
      modifications,
    });
  };

  const drain = async (): Promise<void> => {
    if (!(await drained(socket, () => isOpen))) isOpen = false;
  };

  const broken = (error: unknown): void => {
    console.error("convex sync:", error);
    close(CLOSE_INTERNAL, "InternalServerError");
  };

  const loop = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    try {
      // oxlint-disable-next-line no-unmodified-loop-condition -- closing the socket modifies it
      while (isOpen) {
        await drain();
        await inbox.takeFirst(handle);
        // What only changes the question is gathered before it is answered.
        const next = inbox.first()?.type;
        if (next === "ModifyQuerySet" || next === "Authenticate") continue;
        if (mustTransition || queries.isOutOfDate()) await transition();
        else if (next === undefined) break;
      }
    } catch (error) {
      broken(error);
    } finally {
      isRunning = false;
    }
  };

  const stopListening = runtime.onCommit((commit) => {
    if (queries.notice(commit)) void loop();
  });
  const pinging = setInterval(() => {
    if (clock() - lastSentMs >= pingAfterMs) send({ type: "Ping" });
  }, pingAfterMs);
  pinging.unref();

  socket.on("message", (data) => {
    if (!isOpen) return;
    const text = textOf(data);
    const message = readMessage(text);
    if (typeof message === "string") return fatal(message);
    if (!inbox.add(message, text.length)) return close(CLOSE_AGAIN, "TooManyConcurrentRequests");
    void loop();
  });
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    isOpen = false;
    clearInterval(pinging);
    stopListening();
    queries.clear();
  });
};

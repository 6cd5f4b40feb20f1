// Messages of the WebSocket sync protocol of convex 1.48, as far as a server reads and writes
// them (convex/src/browser/sync/protocol.ts). What a client sends is checked here, once.
import type { JSONValue } from "convex/values";
import type { RawData } from "ws";
import { z } from "zod";

const id = z.int().min(0);
const path = z.string().min(1).max(512);

export type Args = Record<string, JSONValue>;
/** An object of arguments. What is in it came from JSON; how deep and how much, the call checks. */
export const Args = z.custom<Args>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "Arguments are an object.",
);
/** Looked at as a whole: a complaint for each of a million items would be more than the message. */
export const PositionalArgs = z.custom<[Args?]>(
  (value) =>
    Array.isArray(value) && value.length <= 1 && value.every((one) => Args.safeParse(one).success),
  "Arguments are a list with one object in it.",
);
/** As many queries as a client may have, twice over. */
const MAX_MODIFICATIONS = 10_000;

const Call = {
  requestId: id,
  udfPath: path,
  args: PositionalArgs,
  componentPath: z.string().optional(),
};

const QueryChange = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("Add"),
    queryId: id,
    udfPath: path,
    args: PositionalArgs,
    journal: z.string().nullish(),
    componentPath: z.string().optional(),
  }),
  z.object({ type: z.literal("Remove"), queryId: id }),
]);

export const ClientMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("Connect"),
    sessionId: z.string().min(1).max(128),
    connectionCount: z.number(),
    lastCloseReason: z.string().nullable(),
    maxObservedTimestamp: z.string().optional(),
  }),
  z.object({
    type: z.literal("Authenticate"),
    tokenType: z.enum(["User", "Admin", "None"]),
    value: z.string().optional(),
    baseVersion: id,
  }),
  z.object({
    type: z.literal("ModifyQuerySet"),
    baseVersion: id,
    newVersion: id,
    modifications: z.array(z.unknown()).max(MAX_MODIFICATIONS).pipe(z.array(QueryChange)),
  }),
  z.object({ type: z.literal("Mutation"), ...Call }),
  z.object({ type: z.literal("Action"), ...Call }),
  z.object({ type: z.literal("Event") }),
]);
export type ClientMessage = z.infer<typeof ClientMessage>;

/** Characters about what is wrong with a message. */
const MAX_EXPLAINED = 500;

export const textOf = (data: RawData): string =>
  (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString("utf8");

/** @returns the message, or the sentence that says what is wrong with it */
export const readMessage = (text: string): ClientMessage | string => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "The message is not JSON.";
  }
  const read = ClientMessage.safeParse(json);
  if (read.success) return read.data;
  return `The message is not understood: ${z.prettifyError(read.error).slice(0, MAX_EXPLAINED)}`;
};

/** `ts` is encoded as in timestamp.ts. */
export interface StateVersion {
  querySet: number;
  identity: number;
  ts: string;
}

export type Modification =
  | {
      type: "QueryUpdated";
      queryId: number;
      value: JSONValue;
      logLines: string[];
      journal: string | null;
    }
  | {
      type: "QueryFailed";
      queryId: number;
      errorMessage: string;
      errorData?: JSONValue | undefined;
      logLines: string[];
      journal: string | null;
    }
  | { type: "QueryRemoved"; queryId: number };

export type CallResponse =
  | {
      type: "MutationResponse" | "ActionResponse";
      requestId: number;
      success: true;
      result: JSONValue;
      /** Mutations only. */
      ts?: string;
      logLines: string[];
    }
  | {
      type: "MutationResponse" | "ActionResponse";
      requestId: number;
      success: false;
      result: string;
      errorData?: JSONValue | undefined;
      logLines: string[];
    };

export type ServerMessage =
  | {
      type: "Transition";
      startVersion: StateVersion;
      endVersion: StateVersion;
      modifications: Modification[];
    }
  | CallResponse
  | { type: "AuthError"; error: string; baseVersion: number; authUpdateAttempted: boolean }
  | { type: "FatalError"; error: string }
  | { type: "Ping" };

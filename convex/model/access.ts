// Who is calling. A caller is the pipeline, a person, or nobody; no identity is two of them.
import { ConvexError } from "convex/values";
import type { Auth } from "convex/server";
import type { ErrorCode } from "#shared/contract/errors.ts";
import { serviceIdentifiers, userIssuers } from "./env.ts";

export type Caller =
  | { kind: "nobody" }
  | { kind: "service" }
  /** `ownerId` is the identity's `tokenIdentifier`: issuer and subject, joined by `|`. */
  | { kind: "user"; ownerId: string };

/** An error that callers may see: `data` is `{code, message}`. */
export const refuse = (code: ErrorCode, message: string): ConvexError<Refusal> =>
  new ConvexError({ code, message });

type Refusal = { code: ErrorCode; message: string };

export const callerOf = async (ctx: { auth: Auth }): Promise<Caller> => {
  const identity = await ctx.auth.getUserIdentity();
  if (!identity) return { kind: "nobody" };
  const { tokenIdentifier, issuer } = identity;
  if (serviceIdentifiers().includes(tokenIdentifier)) return { kind: "service" };
  // Google's issuer is there for the pipeline; a person's token from it counts only where named.
  return userIssuers().includes(issuer)
    ? { kind: "user", ownerId: tokenIdentifier }
    : { kind: "nobody" };
};

const unauthorized = (): ConvexError<Refusal> =>
  refuse("unauthorized", "This needs a token of somebody known here.");

export const requireService = async (ctx: { auth: Auth }): Promise<void> => {
  const caller = await callerOf(ctx);
  if (caller.kind === "service") return;
  if (caller.kind === "nobody") throw unauthorized();
  throw refuse("forbidden", "Only the pipeline may do this.");
};

export const requireUser = async (ctx: { auth: Auth }): Promise<{ ownerId: string }> => {
  const caller = await callerOf(ctx);
  if (caller.kind === "user") return { ownerId: caller.ownerId };
  if (caller.kind === "nobody") throw unauthorized();
  throw refuse("forbidden", "Only a person may do this.");
};

/** A person or the pipeline; what they may see of a thing is then asked of its owner. */
export const requireKnown = async (ctx: {
  auth: Auth;
}): Promise<Exclude<Caller, { kind: "nobody" }>> => {
  const caller = await callerOf(ctx);
  if (caller.kind === "nobody") throw unauthorized();
  return caller;
};

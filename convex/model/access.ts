// Who is calling. A caller is the pipeline, a person, or nobody; no identity is two of them.
import { ConvexError, type JSONValue } from "convex/values";
import type { Auth, UserIdentity } from "convex/server";
import type { ErrorCode } from "#shared/contract/errors.ts";
import { roleNames, serviceIdentifiers, userIssuers } from "./env.ts";

/** What a person may do; each may do what those before it may. */
export const ROLES = ["learner", "instructor", "admin"] as const;
export type Role = (typeof ROLES)[number];

export interface Person {
  kind: "user";
  /** The identity's `tokenIdentifier` (issuer and subject, joined by `|`): whose a thing is. */
  ownerId: string;
  /** The identity's name at its issuer. */
  subject: string;
  role: Role;
}
export type Known = { kind: "service" } | Person;
export type Caller = { kind: "nobody" } | Known;

/** What an error that callers may see has in `data`. */
export type Refusal = { code: ErrorCode; message: string; details?: JSONValue };

/** @param details  for programs: what is missing, what is in the way */
export const refuse = (
  code: ErrorCode,
  message: string,
  details?: JSONValue,
): ConvexError<Refusal> =>
  new ConvexError(details === undefined ? { code, message } : { code, message, details });

/** What a role claim says: one name, names by space or comma, or a list of names. */
const namesIn = (claim: unknown): string[] => {
  if (typeof claim === "string") return claim.split(/[\s,]+/).filter(Boolean);
  return Array.isArray(claim) ? claim.filter((name) => typeof name === "string") : [];
};

const roleOf = (identity: UserIdentity): Role => {
  const { claim, admin, instructor } = roleNames();
  const names = namesIn(identity[claim]);
  if (names.some((name) => admin.includes(name))) return "admin";
  return names.some((name) => instructor.includes(name)) ? "instructor" : "learner";
};

export const callerOf = async (ctx: { auth: Auth }): Promise<Caller> => {
  const identity = await ctx.auth.getUserIdentity();
  if (!identity) return { kind: "nobody" };
  const { tokenIdentifier, issuer, subject } = identity;
  if (serviceIdentifiers().includes(tokenIdentifier)) return { kind: "service" };
  // Google's issuer is there for the pipeline; a person's token from it counts only where named.
  return userIssuers().includes(issuer)
    ? { kind: "user", ownerId: tokenIdentifier, subject, role: roleOf(identity) }
    : { kind: "nobody" };
};

/** A person or the pipeline; what they may see of a thing is then asked of its owner. */
export const requireKnown = async (ctx: { auth: Auth }): Promise<Known> => {
  const caller = await callerOf(ctx);
  if (caller.kind === "nobody") {
    throw refuse("unauthorized", "This needs a token of somebody known here.");
  }
  return caller;
};

export const requireService = async (ctx: { auth: Auth }): Promise<void> => {
  const caller = await requireKnown(ctx);
  if (caller.kind !== "service") throw refuse("forbidden", "Only the pipeline may do this.");
};

export const requireUser = async (ctx: { auth: Auth }): Promise<Person> => {
  const caller = await requireKnown(ctx);
  if (caller.kind !== "user") throw refuse("forbidden", "Only a person may do this.");
  return caller;
};

export const requireInstructor = async (ctx: { auth: Auth }): Promise<Person> => {
  const person = await requireUser(ctx);
  if (person.role === "learner") throw refuse("forbidden", "Only an instructor may do this.");
  return person;
};

export const requireAdmin = async (ctx: { auth: Auth }): Promise<Person> => {
  const person = await requireUser(ctx);
  if (person.role !== "admin") throw refuse("forbidden", "Only an admin may do this.");
  return person;
};

/** Whoever runs the deployment: an admin, or the pipeline's identity. */
export const requireOperator = async (ctx: { auth: Auth }): Promise<void> => {
  const caller = await requireKnown(ctx);
  if (caller.kind === "user" && caller.role !== "admin") {
    throw refuse("forbidden", "Only an admin may do this.");
  }
};

/** Whether a thing is a person's own; an admin's is everything. */
export const owns = (person: Person, ownerId: string | undefined): boolean =>
  person.role === "admin" || ownerId === person.ownerId;

/**
 * The `userId` a person means. The documents' functions take one; it must be the caller's own, as
 * `tokenIdentifier` or as the subject alone.
 * @throws {ConvexError} `forbidden` for somebody else's
 */
export const ownUserId = (person: Person, userId: string | undefined): string => {
  if (userId !== undefined && userId !== person.ownerId && userId !== person.subject) {
    throw refuse("forbidden", "This is for oneself: `userId` must be your own.");
  }
  return person.ownerId;
};

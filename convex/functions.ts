// The wrappers every function is made with: each says who may call it. `_generated/server` is used
// here and nowhere else, and a test finds a function without a wrapper.
import type { GenericValidator, Infer, ObjectType, PropertyValidators } from "convex/values";
import type { RegisteredAction, RegisteredMutation, RegisteredQuery } from "convex/server";
import {
  type ActionCtx,
  type MutationCtx,
  type QueryCtx,
  action,
  internalMutation,
  mutation,
  query,
} from "./_generated/server.js";
import { requireKnown, requireService, requireUser, type Caller } from "./model/access.ts";

export type Access = "service" | "user" | "known" | "public" | "backend";

const accessOfFunction = new WeakMap<object, Access>();

/** Who may call a function; undefined for one that was made without a wrapper. */
export const accessOf = (fn: object): Access | undefined => accessOfFunction.get(fn);

const marked = <F extends object>(access: Access, fn: F): F => {
  accessOfFunction.set(fn, access);
  return fn;
};

interface Definition<Ctx, A extends PropertyValidators, R extends GenericValidator> {
  args: A;
  returns: R;
  handler: (ctx: Ctx, args: ObjectType<A>) => Promise<Infer<R>>;
}

// The registered types stand in full at every wrapper: TypeScript finds arguments and answers for
// `_generated/api` by their names, and an alias of ours would hide those.

/** For the pipeline's functions on Cloud Run. */
export const serviceQuery = <A extends PropertyValidators, R extends GenericValidator>({
  args,
  returns,
  handler,
}: Definition<QueryCtx, A, R>): RegisteredQuery<"public", ObjectType<A>, Promise<Infer<R>>> =>
  marked(
    "service",
    query({
      args,
      returns,
      handler: async (ctx: QueryCtx, given: ObjectType<A>) => {
        await requireService(ctx);
        return handler(ctx, given);
      },
    }) as RegisteredQuery<"public", ObjectType<A>, Promise<Infer<R>>>,
  );

/** For the pipeline's functions on Cloud Run. */
export const serviceMutation = <A extends PropertyValidators, R extends GenericValidator>({
  args,
  returns,
  handler,
}: Definition<MutationCtx, A, R>): RegisteredMutation<"public", ObjectType<A>, Promise<Infer<R>>> =>
  marked(
    "service",
    mutation({
      args,
      returns,
      handler: async (ctx: MutationCtx, given: ObjectType<A>) => {
        await requireService(ctx);
        return handler(ctx, given);
      },
    }) as RegisteredMutation<"public", ObjectType<A>, Promise<Infer<R>>>,
  );

/** For the pipeline's functions on Cloud Run, where true randomness is needed. */
export const serviceAction = <A extends PropertyValidators, R extends GenericValidator>({
  args,
  returns,
  handler,
}: Definition<ActionCtx, A, R>): RegisteredAction<"public", ObjectType<A>, Promise<Infer<R>>> =>
  marked(
    "service",
    action({
      args,
      returns,
      handler: async (ctx: ActionCtx, given: ObjectType<A>) => {
        await requireService(ctx);
        return handler(ctx, given);
      },
    }) as RegisteredAction<"public", ObjectType<A>, Promise<Infer<R>>>,
  );

type Owned<Ctx> = Ctx & { ownerId: string };

/** For a signed-in person; `ctx.ownerId` is who. */
export const userQuery = <A extends PropertyValidators, R extends GenericValidator>({
  args,
  returns,
  handler,
}: Definition<Owned<QueryCtx>, A, R>): RegisteredQuery<
  "public",
  ObjectType<A>,
  Promise<Infer<R>>
> =>
  marked(
    "user",
    query({
      args,
      returns,
      handler: async (ctx: QueryCtx, given: ObjectType<A>) =>
        handler({ ...ctx, ...(await requireUser(ctx)) }, given),
    }) as RegisteredQuery<"public", ObjectType<A>, Promise<Infer<R>>>,
  );

/** For a signed-in person; `ctx.ownerId` is who. */
export const userMutation = <A extends PropertyValidators, R extends GenericValidator>({
  args,
  returns,
  handler,
}: Definition<Owned<MutationCtx>, A, R>): RegisteredMutation<
  "public",
  ObjectType<A>,
  Promise<Infer<R>>
> =>
  marked(
    "user",
    mutation({
      args,
      returns,
      handler: async (ctx: MutationCtx, given: ObjectType<A>) =>
        handler({ ...ctx, ...(await requireUser(ctx)) }, given),
    }) as RegisteredMutation<"public", ObjectType<A>, Promise<Infer<R>>>,
  );

/** For a signed-in person; `ctx.ownerId` is who. */
export const userAction = <A extends PropertyValidators, R extends GenericValidator>({
  args,
  returns,
  handler,
}: Definition<Owned<ActionCtx>, A, R>): RegisteredAction<
  "public",
  ObjectType<A>,
  Promise<Infer<R>>
> =>
  marked(
    "user",
    action({
      args,
      returns,
      handler: async (ctx: ActionCtx, given: ObjectType<A>) =>
        handler({ ...ctx, ...(await requireUser(ctx)) }, given),
    }) as RegisteredAction<"public", ObjectType<A>, Promise<Infer<R>>>,
  );

/** For a person or the pipeline, where the handler asks whose the thing is; `ctx.caller` is who. */
export const knownQuery = <A extends PropertyValidators, R extends GenericValidator>({
  args,
  returns,
  handler,
}: Definition<QueryCtx & { caller: Exclude<Caller, { kind: "nobody" }> }, A, R>): RegisteredQuery<
  "public",
  ObjectType<A>,
  Promise<Infer<R>>
> =>
  marked(
    "known",
    query({
      args,
      returns,
      handler: async (ctx: QueryCtx, given: ObjectType<A>) =>
        handler({ ...ctx, caller: await requireKnown(ctx) }, given),
    }) as RegisteredQuery<"public", ObjectType<A>, Promise<Infer<R>>>,
  );

/** For everybody; never answers a signed URL, nor whose a thing is. */
export const publicQuery = <A extends PropertyValidators, R extends GenericValidator>({
  args,
  returns,
  handler,
}: Definition<QueryCtx, A, R>): RegisteredQuery<"public", ObjectType<A>, Promise<Infer<R>>> =>
  marked(
    "public",
    query({ args, returns, handler }) as RegisteredQuery<
      "public",
      ObjectType<A>,
      Promise<Infer<R>>
    >,
  );

/** For other functions of this backend: actions and the scheduler. */
export const backendMutation = <A extends PropertyValidators, R extends GenericValidator>({
  args,
  returns,
  handler,
}: Definition<MutationCtx, A, R>): RegisteredMutation<
  "internal",
  ObjectType<A>,
  Promise<Infer<R>>
> =>
  marked(
    "backend",
    internalMutation({ args, returns, handler }) as RegisteredMutation<
      "internal",
      ObjectType<A>,
      Promise<Infer<R>>
    >,
  );

// The wrappers every function is made with: each says who may call it. `_generated/server` is used
// here and nowhere else, and a test finds a function without a wrapper.
import type { GenericValidator, Infer, ObjectType, PropertyValidators } from "convex/values";
import type { Auth, RegisteredAction, RegisteredMutation, RegisteredQuery } from "convex/server";
import {
  type ActionCtx,
  type MutationCtx,
  type QueryCtx,
  action,
  internalAction,
  internalMutation,
  internalQuery,
  mutation,
  query,
} from "./_generated/server.js";
import {
  type Known,
  type Person,
  requireAdmin,
  requireInstructor,
  requireKnown,
  requireOperator,
  requireService,
  requireUser,
} from "./model/access.ts";

export type Access =
  | "service"
  | "user"
  | "instructor"
  | "admin"
  | "operator"
  | "known"
  | "public"
  | "backend";

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

/**
 * Query, mutation and action for one kind of caller.
 * @param admit  says who calls, which the handler finds in its context; throws for anybody else
 */
const openTo = <Extra extends object>(
  access: Access,
  admit: (ctx: { auth: Auth }) => Promise<Extra>,
) => ({
  query: <A extends PropertyValidators, R extends GenericValidator>({
    args,
    returns,
    handler,
  }: Definition<QueryCtx & Extra, A, R>): RegisteredQuery<
    "public",
    ObjectType<A>,
    Promise<Infer<R>>
  > =>
    marked(
      access,
      query({
        args,
        returns,
        handler: async (ctx: QueryCtx, given: ObjectType<A>) =>
          handler({ ...ctx, ...(await admit(ctx)) }, given),
      }) as RegisteredQuery<"public", ObjectType<A>, Promise<Infer<R>>>,
    ),
  mutation: <A extends PropertyValidators, R extends GenericValidator>({
    args,
    returns,
    handler,
  }: Definition<MutationCtx & Extra, A, R>): RegisteredMutation<
    "public",
    ObjectType<A>,
    Promise<Infer<R>>
  > =>
    marked(
      access,
      mutation({
        args,
        returns,
        handler: async (ctx: MutationCtx, given: ObjectType<A>) =>
          handler({ ...ctx, ...(await admit(ctx)) }, given),
      }) as RegisteredMutation<"public", ObjectType<A>, Promise<Infer<R>>>,
    ),
  action: <A extends PropertyValidators, R extends GenericValidator>({
    args,
    returns,
    handler,
  }: Definition<ActionCtx & Extra, A, R>): RegisteredAction<
    "public",
    ObjectType<A>,
    Promise<Infer<R>>
  > =>
    marked(
      access,
      action({
        args,
        returns,
        handler: async (ctx: ActionCtx, given: ObjectType<A>) =>
          handler({ ...ctx, ...(await admit(ctx)) }, given),
      }) as RegisteredAction<"public", ObjectType<A>, Promise<Infer<R>>>,
    ),
});

/** What a person's handler finds in its context. */
export type WithPerson = { person: Person; ownerId: string };
/** What a handler for people and the pipeline finds in its context. */
export type WithKnown = { caller: Known };

const asPerson =
  (require: (ctx: { auth: Auth }) => Promise<Person>) =>
  async (ctx: { auth: Auth }): Promise<WithPerson> => {
    const person = await require(ctx);
    return { person, ownerId: person.ownerId };
  };
const asNothing =
  (require: (ctx: { auth: Auth }) => Promise<unknown>) =>
  async (ctx: { auth: Auth }): Promise<object> => {
    await require(ctx);
    return {};
  };

/** For the pipeline's functions on Cloud Run. Actions are for where true randomness is needed. */
export const {
  query: serviceQuery,
  mutation: serviceMutation,
  action: serviceAction,
} = openTo("service", asNothing(requireService));

/** For a signed-in person; `ctx.person` is who, `ctx.ownerId` under which name things are theirs. */
export const {
  query: userQuery,
  mutation: userMutation,
  action: userAction,
} = openTo("user", asPerson(requireUser));

/** For a person who makes courses: an instructor or an admin. */
export const {
  query: instructorQuery,
  mutation: instructorMutation,
  action: instructorAction,
} = openTo("instructor", asPerson(requireInstructor));

/** For admins. */
export const { query: adminQuery, mutation: adminMutation } = openTo(
  "admin",
  asPerson(requireAdmin),
);

/** For whoever runs the deployment: an admin, or the pipeline's identity. */
export const { query: operatorQuery, mutation: operatorMutation } = openTo(
  "operator",
  asNothing(requireOperator),
);

/** For a person or the pipeline, where the handler asks whose the thing is; `ctx.caller` is who. */
export const { query: knownQuery } = openTo("known", async (ctx): Promise<WithKnown> => ({
  caller: await requireKnown(ctx),
}));

/** For everybody; never answers a signed URL, nor whose a thing is. */
export const { query: publicQuery } = openTo("public", async () => ({}));

/** For other functions of this backend: actions, components and the scheduler. */
export const backendQuery = <A extends PropertyValidators, R extends GenericValidator>({
  args,
  returns,
  handler,
}: Definition<QueryCtx, A, R>): RegisteredQuery<"internal", ObjectType<A>, Promise<Infer<R>>> =>
  marked(
    "backend",
    internalQuery({ args, returns, handler }) as RegisteredQuery<
      "internal",
      ObjectType<A>,
      Promise<Infer<R>>
    >,
  );

/** For other functions of this backend: actions, components and the scheduler. */
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

/** For other functions of this backend: actions, components and the scheduler. */
export const backendAction = <A extends PropertyValidators, R extends GenericValidator>({
  args,
  returns,
  handler,
}: Definition<ActionCtx, A, R>): RegisteredAction<"internal", ObjectType<A>, Promise<Infer<R>>> =>
  marked(
    "backend",
    internalAction({ args, returns, handler }) as RegisteredAction<
      "internal",
      ObjectType<A>,
      Promise<Infer<R>>
    >,
  );

// What the stand-in for Google Cloud keeps: everything by kind and name, as gcloud would show it.
import { Refused } from "./flags.ts";

export type Item = Record<string, unknown>;
export interface Policy {
  bindings: { role: string; members: string[]; condition?: unknown }[];
}

export interface State {
  project: { projectId: string; projectNumber: string; billing: boolean; account: string };
  apis: string[];
  /** By `kind name`. */
  items: Record<string, Item>;
  /** By the `kind name` they belong to. */
  policies: Record<string, Policy>;
  /** Numbers given out so far. */
  counter: number;
  /** Kinds that are kept by somebody else, an emulator, so that only their policies are here. */
  elsewhere?: string[];
  /** Processors granted to the project in the region; absent: enough. */
  vcpu?: number;
  /** Where services answer, `{function}` in it, where that is not on Cloud Run. */
  serviceUrl?: string;
  convex: { variables: Record<string, string>; deployed: number; keys: string[] };
}

export const emptyState = (): State => ({
  project: {
    projectId: "sample-project",
    projectNumber: "123456789012",
    billing: true,
    account: "dev@example.com",
  },
  apis: [],
  items: {},
  policies: {},
  counter: 0,
  convex: { variables: {}, deployed: 0, keys: [] },
});

const key = (kind: string, name: string): string => `${kind} ${name}`;

export const list = (state: State, kind: string): Item[] =>
  Object.entries(state.items)
    .filter(([id]) => id.startsWith(`${kind} `) && !id.slice(kind.length + 1).includes(" "))
    .map(([, item]) => item);

export const has = (state: State, kind: string, name: string): boolean =>
  state.items[key(kind, name)] !== undefined;

export const get = (state: State, kind: string, name: string): Item => {
  const found = state.items[key(kind, name)];
  if (!found) throw new Refused(`NOT_FOUND: ${kind} [${name}] not found.`);
  return found;
};

export const add = (state: State, kind: string, name: string, item: Item): Item => {
  if (has(state, kind, name)) throw new Refused(`ALREADY_EXISTS: ${kind} [${name}] is there.`);
  state.items[key(kind, name)] = item;
  return item;
};

export const put = (state: State, kind: string, name: string, item: Item): Item =>
  (state.items[key(kind, name)] = item);

export const change = (state: State, kind: string, name: string, fields: Item): Item =>
  Object.assign(get(state, kind, name), fields);

export const drop = (state: State, kind: string, name: string): void => {
  get(state, kind, name);
  delete state.items[key(kind, name)];
  delete state.policies[key(kind, name)];
};

export const nextNumber = (state: State): number => (state.counter += 1);

export const policyOf = (state: State, kind: string, name: string): Policy =>
  state.policies[key(kind, name)] ?? { bindings: [] };

/** A member that is an account of ours must be there, as the real one insists. */
const mustExist = (state: State, member: string): void => {
  const [, email] = /^serviceAccount:(klipstream-.*)$/.exec(member) ?? [];
  if (email !== undefined && !has(state, "account", email)) {
    throw new Refused(`INVALID_ARGUMENT: Service account ${email} does not exist.`);
  }
};

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

export const bind = (
  state: State,
  kind: string,
  name: string,
  { role, member, condition }: { role: string; member: string; condition?: unknown },
): Policy => {
  mustExist(state, member);
  const policy = policyOf(state, kind, name);
  const found = policy.bindings.find((one) => one.role === role && same(one.condition, condition));
  if (found) found.members = [...new Set([...found.members, member])];
  else policy.bindings.push({ role, members: [member], ...(condition ? { condition } : {}) });
  state.policies[key(kind, name)] = policy;
  return policy;
};

export const unbind = (
  state: State,
  kind: string,
  name: string,
  { role, member, condition }: { role: string; member: string; condition?: unknown },
): Policy => {
  const policy = policyOf(state, kind, name);
  const found = policy.bindings.find(
    (one) => one.role === role && one.members.includes(member) && same(one.condition, condition),
  );
  if (!found) throw new Refused(`Policy binding with ${member} and ${role} not found.`);
  found.members = found.members.filter((one) => one !== member);
  policy.bindings = policy.bindings.filter((one) => one.members.length > 0);
  if (policy.bindings.length === 0) delete state.policies[key(kind, name)];
  return policy;
};

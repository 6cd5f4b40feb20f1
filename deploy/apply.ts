// From what is there to what should be. Resources are taken in their order, those of one kind a few
// at once; each is read first, and only what differs is changed. So a run may be repeated, and after
// a failure the next one goes on.
import type { Json } from "./json.ts";
import type { Command, Known, Resource } from "./resource.ts";
import { CommandFailed, type Tools, readJson } from "./tools.ts";

const PARALLEL = 4;

export interface Change {
  resource: Resource;
  kind: "create" | "update" | "remove";
  /** What was not as it should be. */
  differences: readonly string[];
  commands: readonly Command[];
}

export interface World {
  /** What is there of a resource; undefined where nothing is. */
  current(resource: Resource): Promise<Json | undefined>;
  known(resource: Resource): Promise<Known>;
  /** What was read is read anew, since it has changed. */
  forget(resource: Resource): void;
}

/**
 * @param tools null to ask nobody, as if nothing were there
 * @param projectNumber what Google calls the project by, for `known`
 */
export const createWorld = (
  resources: readonly Resource[],
  tools: Tools | null,
  projectNumber: string,
): World => {
  const byId = new Map(resources.map((one) => [one.id, one]));
  const answers = new Map<string, Promise<Json>>();
  const keyOf = (resource: Resource): string => JSON.stringify(resource.read.args);

  const get = (id: string): Resource => {
    const found = byId.get(id);
    if (!found) throw new Error(`There is no resource "${id}".`);
    return found;
  };

  const read = (resource: Resource, from: Tools): Promise<Json> => {
    const key = keyOf(resource);
    let answer = answers.get(key);
    if (!answer) {
      const { read } = resource;
      answer = read.tool === "gcloud" ? readJson(from, read) : from.run(read);
      answers.set(key, answer);
    }
    return answer;
  };

  const current = async (resource: Resource): Promise<Json | undefined> => {
    if (!tools) return undefined;
    for (const id of resource.needs) {
      if ((await current(get(id))) === undefined) return undefined;
    }
    try {
      return resource.find(await read(resource, tools));
    } catch (error) {
      if (error instanceof CommandFailed && resource.absent?.test(error.stderr)) return undefined;
      throw error;
    }
  };

  return {
    current,
    known: async (resource) => {
      const found = new Map<string, Json | undefined>();
      for (const id of resource.uses) found.set(id, await current(get(id)));
      return {
        projectNumber,
        of: (id) => {
          if (!found.has(id)) throw new Error(`${resource.id} does not say that it uses ${id}.`);
          return found.get(id);
        },
      };
    },
    forget: (resource) => void answers.delete(keyOf(resource)),
  };
};

/** Somebody else has something of a name that we need. */
class NameTaken extends Error {
  override name = "NameTaken";
}

/** What is due for one resource; null where it is as it should be. @throws {NameTaken} */
const dueFor = async (resource: Resource, world: World): Promise<Change | null> => {
  const current = await world.current(resource);
  const known = await world.known(resource);
  if (current === undefined) {
    return { resource, kind: "create", differences: [], commands: resource.create(known) };
  }
  if (!resource.isOurs(current)) {
    throw new NameTaken(`${resource.id} is there already and was not made by this script.`);
  }
  const different = resource.differences(current, known);
  if (different.length === 0) return null;
  return {
    resource,
    kind: "update",
    differences: different,
    commands: resource.update(current, known),
  };
};

/** Neighbours of one kind: they do not need one another. */
const groupsOf = (resources: readonly Resource[]): Resource[][] => {
  const groups: Resource[][] = [];
  for (const resource of resources) {
    const last = groups.at(-1);
    if (last?.[0]?.kind === resource.kind) last.push(resource);
    else groups.push([resource]);
  }
  return groups;
};

/** A few at once, in their order. */
export const inParallel = async <T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
};

/** Some could not be done; the rest of their kind was, and nothing after. */
export class NotAllDone extends Error {
  override name = "NotAllDone";
  constructor(failures: readonly { resource: Resource; error: Error }[]) {
    super(failures.map(({ resource, error }) => `${resource.id}: ${error.message}`).join("\n"), {
      cause: failures[0]?.error,
    });
  }
}

/** @throws {NotAllDone} after the first kind of which something failed */
const inTurn = async (
  resources: readonly Resource[],
  work: (resource: Resource) => Promise<void>,
): Promise<void> => {
  for (const group of groupsOf(resources)) {
    const failures: { resource: Resource; error: Error }[] = [];
    await inParallel(group, async (resource) => {
      try {
        await work(resource);
      } catch (error) {
        if (!(error instanceof CommandFailed || error instanceof NameTaken)) throw error;
        failures.push({ resource, error });
      }
    });
    if (failures.length > 0) throw new NotAllDone(failures);
  }
};

export interface Run {
  /** Null for a dry run: what is due is told and not done. */
  tools: Tools | null;
  world: World;
  onChange(change: Change): void;
}

const carryOut = async (change: Change, { tools, world, onChange }: Run): Promise<void> => {
  onChange(change);
  if (!tools) return;
  try {
    for (const command of change.commands) await tools.run(command);
  } finally {
    world.forget(change.resource);
  }
};

/** @returns how many were changed. @throws {NotAllDone} */
export const applyAll = async (resources: readonly Resource[], run: Run): Promise<number> => {
  let changed = 0;
  await inTurn(resources, async (resource) => {
    const change = await dueFor(resource, run.world);
    if (!change) return;
    await carryOut(change, run);
    changed += 1;
  });
  return changed;
};

/** In the opposite order; what is not there or not ours is left. @returns how many were removed */
export const removeAll = async (resources: readonly Resource[], run: Run): Promise<number> => {
  let removed = 0;
  // What stays is not even looked at.
  const removable = resources.filter(({ stays }) => stays === undefined);
  await inTurn(removable.toReversed(), async (resource) => {
    const current = await run.world.current(resource);
    if (current === undefined || !resource.isOurs(current)) return;
    const commands = resource.remove(current, await run.world.known(resource));
    if (commands.length === 0) return;
    await carryOut({ resource, kind: "remove", differences: [], commands }, run);
    removed += 1;
  });
  return removed;
};

// What is listed with its labels: found by name in one listing of its kind, ours by the label.
import { type Json, at, differences, shortName, textAt } from "../json.ts";
import { type Command, LABEL, type Known, type Resource, idOf, resource } from "../resource.ts";

/** One kind of such things in the project. */
export interface ListedKind {
  kind: string;
  list: Command;
  /** Ids of what must be there before one may ask. */
  needs: readonly string[];
  nameOf(item: Json): string;
  isOurs(item: Json): boolean;
  remove(name: string): Command[];
}

export const hasLabel = (item: Json): boolean => textAt(item, "labels", LABEL.key) === LABEL.value;

/** Knative's services have their name and labels under `metadata`. */
export const metadataName = (item: Json): string => textAt(item, "metadata", "name");
export const hasMetadataLabel = (item: Json): boolean => hasLabel(at(item, "metadata") ?? null);

export const listed = (
  kind: Omit<ListedKind, "nameOf" | "isOurs"> & Partial<ListedKind>,
): ListedKind => ({ nameOf: shortName, isOurs: hasLabel, ...kind });

export const inList = (
  kind: ListedKind,
  name: string,
  one: {
    parts: readonly string[];
    needs?: readonly string[];
    uses?: readonly string[];
    /** What the listing should say of it. */
    wanted(known: Known): Json;
    create(known: Known): Command[];
    update(current: Json, known: Known): Command[];
    isData?: boolean;
  },
): Resource => {
  const { wanted, ...rest } = one;
  return resource({
    ...rest,
    kind: kind.kind,
    name,
    needs: [...kind.needs, ...(one.needs ?? [])],
    read: kind.list,
    find: (answer) =>
      Array.isArray(answer) ? answer.find((item) => kind.nameOf(item) === name) : undefined,
    isOurs: kind.isOurs,
    differences: (current, known) => differences(wanted(known), current),
    remove: () => kind.remove(name),
  });
};

/** What is ours of a kind and that no resource stands for: made of an earlier catalog. */
export const leftovers = (
  kind: ListedKind,
  answer: Json,
  resources: readonly Resource[],
): Resource[] => {
  const wanted = new Set(resources.map(({ id }) => id));
  const items = Array.isArray(answer) ? (answer as readonly Json[]) : [];
  return items
    .filter((item) => kind.isOurs(item) && !wanted.has(idOf(kind.kind, kind.nameOf(item))))
    .map((item) =>
      inList(kind, kind.nameOf(item), {
        parts: [],
        wanted: () => null,
        create: () => [],
        update: () => [],
      }),
    );
};

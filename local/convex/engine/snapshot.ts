// What was committed before the transaction that runs, for queries that shall not see its own writes: the
// store as it is, with every document that was changed since put back as it was.
import type { Index, Table } from "./catalog.ts";
import { keyOf } from "./document.ts";
import { tableNumberOf } from "./ids.ts";
import type { Changes, Entry, Original, Range, Reader, Store } from "./store.ts";

const indexNumbered = ({ indexes }: Table, number: number): Index | undefined =>
  [...indexes.values()].find((index) => index.number === number);

const isWithin = (key: Buffer, { from, to }: Range): boolean =>
  Buffer.compare(key, from) >= 0 && (to === undefined || Buffer.compare(key, to) < 0);

const idOf = ({ json }: Entry): string => (JSON.parse(json) as { _id: string })._id;

export const readSnapshot = (store: Store, { originals }: Changes): Reader => {
  if (originals.size === 0) return store;
  const before = [...originals.values()].filter((one): one is Original => one !== undefined);
  return {
    get: (id) => (originals.has(id) ? originals.get(id) : store.get(id)),
    scan(range, order, limit) {
      // So many may have to be left out again.
      const now = store.scan(range, order, limit + originals.size);
      const were = before.flatMap(({ table, document, json, sizeBytes }): Entry[] => {
        const index = indexNumbered(table, range.index);
        const key = index && keyOf(index, document);
        return key && isWithin(key, range) ? [{ key, json, sizeBytes }] : [];
      });
      return [...now.filter((entry) => !originals.has(idOf(entry))), ...were]
        .toSorted((a, b) => Buffer.compare(a.key, b.key) * (order === "asc" ? 1 : -1))
        .slice(0, limit);
    },
    // A search finds what is there now.
    bySeq: (seq) => store.bySeq(seq),
    count(table) {
      const were = before.filter((one) => one.table.number === table.number).length;
      const changed = [...originals.keys()].filter((id) => tableNumberOf(id) === table.number);
      return store.count(table) + were - changed.filter((id) => store.get(id)).length;
    },
  };
};

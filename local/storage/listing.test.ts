// Listings longer than what is read from the index at once.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Catalog, openCatalog } from "./catalog.ts";
import { listObjects, type ListQuery } from "./listing.ts";

let dataDir: string;
let catalog: Catalog;
const names = Array.from({ length: 1203 }, (_, at) => `f${at % 3}/${String(at).padStart(5, "0")}`);

const put = (bucket: string, name: string, generation: number): void => {
  const content = { id: `${bucket} ${generation}`, sizeBytes: 0, crc32c: "", md5: undefined };
  const times = { createdMs: 0, updatedMs: 0 };
  const given = { bucket, name, generation, metageneration: 1, content, fields: {} };
  catalog.putObject({ ...given, ...times });
};

beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), "klipstream-listing-"));
  catalog = openCatalog(dataDir, Date.now);
  catalog.transaction(() => {
    for (const [at, name] of names.entries()) {
      put("many", name, at + 1);
    }
  });
});
afterAll(() => {
  catalog.close();
  rmSync(dataDir, { recursive: true });
});

const everything: ListQuery = {
  prefix: "",
  delimiter: "",
  startOffset: "",
  endOffset: "",
  pageToken: "",
  maxResults: 1000,
  includeTrailingDelimiter: false,
};

it.each([1000, 700, 501, 500, 499])("pages of %i", (maxResults) => {
  const seen: string[] = [];
  let pageToken: string | undefined = "";
  while (pageToken !== undefined) {
    const page = listObjects(catalog, "many", { ...everything, maxResults, pageToken });
    expect(page.items.length).toBeLessThanOrEqual(maxResults);
    seen.push(...page.items.map(({ name }) => name));
    pageToken = page.nextPageToken;
  }
  expect(seen).toEqual(names.toSorted());
});

it("folders are skipped over, not read through", () => {
  const page = listObjects(catalog, "many", { ...everything, delimiter: "/" });
  expect(page.prefixes).toEqual(["f0/", "f1/", "f2/"]);
  expect(page.nextPageToken).toBeUndefined();
});

/** Names that share beginnings, with folders in folders, and characters of one to four bytes. */
const anyName = fc
  .array(fc.constantFrom("a", "b", "/", "é", "\u{10ffff}", "\ud7ff"), {
    minLength: 1,
    maxLength: 4,
  })
  .map((characters) => characters.join(""));

it("page by page, while objects come and go: all that stays is listed once, in order", () => {
  let runs = 0;
  fc.assert(
    fc.property(
      fc.uniqueArray(anyName, { maxLength: 40 }),
      fc.record({
        prefix: fc.constantFrom("", "a", "a/", "é", "b/a"),
        delimiter: fc.constantFrom("", "/", "a"),
        maxResults: fc.integer({ min: 1, max: 5 }),
      }),
      // Between the pages: what is made or deleted.
      fc.array(fc.record({ name: anyName, isMade: fc.boolean() }), { maxLength: 20 }),
      (first, asked, changes) => {
        const bucket = `run-${(runs += 1)}`;
        const there = new Set(first);
        let generation = 0;
        for (const name of there) put(bucket, name, (generation += 1));
        const always = new Set(there);
        const ever = new Set(there);
        const items: string[] = [];
        const prefixes: string[] = [];
        const pending = [...changes];
        let pages = 0;
        for (let pageToken: string | undefined = ""; pageToken !== undefined;) {
          expect((pages += 1)).toBeLessThan(100);
          const page = listObjects(catalog, bucket, { ...everything, ...asked, pageToken });
          expect(page.items.length + page.prefixes.length).toBeLessThanOrEqual(asked.maxResults);
          items.push(...page.items.map(({ name }) => name));
          prefixes.push(...page.prefixes);
          pageToken = page.nextPageToken;
          const change = pending.shift();
          if (change === undefined || there.has(change.name) === change.isMade) continue;
          if (change.isMade) {
            put(bucket, change.name, (generation += 1));
            there.add(change.name);
            ever.add(change.name);
          } else {
            catalog.deleteObject(bucket, change.name);
            there.delete(change.name);
            always.delete(change.name);
          }
        }
        const listed = (names: Iterable<string>) => {
          const below = [...names].filter((name) => name.startsWith(asked.prefix));
          const cut = (name: string) =>
            asked.delimiter === "" ? -1 : name.indexOf(asked.delimiter, asked.prefix.length);
          return {
            items: below.filter((name) => cut(name) === -1),
            prefixes: below
              .filter((name) => cut(name) !== -1)
              .map((name) => name.slice(0, cut(name) + asked.delimiter.length)),
          };
        };
        const inOrder = (names: string[]) =>
          [...new Set(names)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(items).toEqual(inOrder(items));
        expect(prefixes).toEqual(inOrder(prefixes));
        expect(items).toEqual(expect.arrayContaining(listed(always).items));
        expect(prefixes).toEqual(expect.arrayContaining(listed(always).prefixes));
        expect(listed(ever).items).toEqual(expect.arrayContaining(items));
        expect(listed(ever).prefixes).toEqual(expect.arrayContaining(prefixes));
      },
    ),
    { numRuns: 300, seed: 5 },
  );
});

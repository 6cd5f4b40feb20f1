// Listings longer than what is read from the index at once.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Catalog, openCatalog } from "./catalog.ts";
import { listObjects, type ListQuery } from "./listing.ts";

let dataDir: string;
let catalog: Catalog;
const names = Array.from({ length: 1203 }, (_, at) => `f${at % 3}/${String(at).padStart(5, "0")}`);

beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), "klipstream-listing-"));
  catalog = openCatalog(dataDir, Date.now);
  catalog.transaction(() => {
    for (const [at, name] of names.entries()) {
      const content = { id: String(at), sizeBytes: 0, crc32c: "", md5: undefined };
      const times = { createdMs: 0, updatedMs: 0 };
      catalog.putObject({
        bucket: "many",
        name,
        generation: at + 1,
        metageneration: 1,
        content,
        fields: {},
        ...times,
      });
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

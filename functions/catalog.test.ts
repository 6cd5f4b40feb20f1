import { expect, it } from "vitest";

import { CATALOG } from "./catalog.ts";
import { openApiPath } from "./http/description.ts";
import { openApi } from "#shared/contract/openapi.ts";

const paths = openApi("https://example.com")["paths"] as Record<string, Record<string, unknown>>;

it("describes every public route of the catalog, and no other", () => {
  const declared = CATALOG.flatMap((spec) =>
    spec.trigger.kind === "http" ? spec.trigger.routes : [],
  )
    .filter(({ path }) => path.startsWith("/v1/") || path === "/health")
    .map(({ method, path }) => `${method} ${openApiPath(path)}`);
  const described = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described.toSorted()).toEqual(declared.toSorted());
});

it("says of a request's options what they are by default", () => {
  const text = JSON.stringify(paths["/v1/analysis"]?.["post"]);
  expect(text).toContain('"default":1024');
  expect(text).toContain("Idempotency-Key");
});

it("describes every answer that is no error, and both ways to say who calls", () => {
  const responses = (path: string, method: string) =>
    Object.keys((paths[path] as Record<string, { responses: object }>)[method]?.responses ?? {});
  expect(responses("/v1/run_pipeline", "post")).toEqual(["200", "202", "default"]);
  expect(responses("/v1/analysis/{job_id}/stream", "get")).toEqual(["200", "204", "default"]);
  expect(openApi("https://example.com")["security"]).toEqual([{ bearer: [] }, { key: [] }]);
});

// The OpenAPI document of the API, which names for each route the address of the function that has it.
import { openApi } from "#shared/contract/openapi.ts";
import { functionSpec } from "#functions/catalog.ts";
import type { Addresses } from "./service.ts";

/** A route of the catalog as OpenAPI writes it: `/v1/analysis/{job_id}/status`. */
export const openApiPath = (path: string): string => path.replace(/[:*](\w+)/g, "{$1}");

export const describeApi = ({ status, submit }: Addresses): Record<string, unknown> => {
  const { trigger } = functionSpec("submit");
  const ofSubmit = new Set(
    trigger.kind === "http"
      ? trigger.routes.map(({ method, path }) => `${method} ${openApiPath(path)}`)
      : [],
  );
  return openApi(status, (method, path) => (ofSubmit.has(`${method} ${path}`) ? submit : status));
};

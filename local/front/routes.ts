// Which function a request is for: by the routes of the catalog, or by the function's own address.
import type { FunctionSpec } from "#functions/catalog.ts";
import { routePattern } from "#functions/routePattern.ts";

/** Under it every function has its own address, as each service on Cloud Run has its own host. */
export const FUNCTION_PREFIX = "/_functions/";

export type Routed =
  /** `path` is what the function sees, with the query string. */
  | { kind: "function"; spec: FunctionSpec; path: string }
  | { kind: "wrong_method"; allow: string[] }
  | { kind: "not_found" };

type Router = (method: string, url: string) => Routed;

export const createRouter = (catalog: readonly FunctionSpec[]): Router => {
  const routes = catalog.flatMap((spec) =>
    spec.trigger.kind === "http" && spec.public
      ? spec.trigger.routes.map(({ method, path }) => ({
          spec,
          method,
          pattern: routePattern(path),
        }))
      : [],
  );
  const byName = new Map(catalog.map((spec) => [spec.name, spec]));

  return (method, url) => {
    const at = url.indexOf("?");
    const path = at === -1 ? url : url.slice(0, at);
    if (path.startsWith(FUNCTION_PREFIX)) {
      const [name = "", ...rest] = path.slice(FUNCTION_PREFIX.length).split("/");
      const spec = byName.get(name);
      const query = at === -1 ? "" : url.slice(at);
      return spec
        ? { kind: "function", spec, path: `/${rest.join("/")}${query}` }
        : { kind: "not_found" };
    }
    const matches = routes.filter(({ pattern }) => pattern.test(path));
    if (matches.length === 0) return { kind: "not_found" };
    // HEAD is answered by who answers GET; a preflight by whoever answers the path at all.
    const wanted = method === "HEAD" ? "GET" : method;
    const match = matches.find((one) => one.method === wanted || method === "OPTIONS");
    if (match) return { kind: "function", spec: match.spec, path: url };
    return { kind: "wrong_method", allow: [...new Set(matches.map((one) => one.method))] };
  };
};

// Bundles `convex/` as Convex does at a deploy (esbuild for the browser, a file that says
// "use node" for Node), so that a Node import in a query fails here and not there.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildFailure, build } from "esbuild";

const FOLDER = fileURLToPath(new URL("../convex/", import.meta.url));
/** Convex takes at most so much code of a deployment, unpacked. */
const MAX_BYTES = 32 * 1024 * 1024;

/** As Convex chooses them: code files with one dot in the name, outside `_generated/`. */
const isEntryPoint = (path: string): boolean => {
  const name = path.split("/").at(-1) ?? "";
  return /\.(ts|tsx|js|jsx)$/.test(name) && name.split(".").length === 2 && name !== "schema.ts";
};

const entryPoints = async (): Promise<{ browser: string[]; node: string[] }> => {
  const found: { browser: string[]; node: string[] } = { browser: [], node: [] };
  for (const path of await readdir(FOLDER, { recursive: true, encoding: "utf8" })) {
    if (path.startsWith("_generated/") || !isEntryPoint(path)) continue;
    const source = await readFile(join(FOLDER, path), "utf8");
    const runsInNode = /^\s*["']use node["']/m.test(source);
    found[runsInNode ? "node" : "browser"].push(join(FOLDER, path));
  }
  return found;
};

/** @returns size of the output in bytes */
const bundle = async (entries: string[], platform: "browser" | "node"): Promise<number> => {
  if (entries.length === 0) return 0;
  const { outputFiles } = await build({
    entryPoints: entries,
    bundle: true,
    platform,
    format: "esm",
    target: "esnext",
    conditions: ["convex", "module"],
    outdir: "out",
    outbase: FOLDER,
    splitting: true,
    treeShaking: true,
    minifySyntax: true,
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "silent",
    write: false,
  });
  return outputFiles.reduce((sum, file) => sum + file.contents.length, 0);
};

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && "errors" in error && Array.isArray(error.errors);

/** @returns what keeps the folder from being deployed; nothing where all is well */
export const bundleConvex = async (): Promise<string[]> => {
  const { browser, node } = await entryPoints();
  // Schema and auth.config are bundled apart from the functions, for the browser as well.
  const definitions = ["schema.ts", "auth.config.ts"].map((name) => join(FOLDER, name));
  try {
    await bundle(definitions, "browser");
    const bytes = (await bundle(browser, "browser")) + (await bundle(node, "node"));
    return bytes > MAX_BYTES ? [`convex/ bundles to ${bytes} bytes; ${MAX_BYTES} are taken.`] : [];
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    return error.errors.map(({ text, location }) =>
      location ? `${location.file}:${location.line}: ${text}` : text,
    );
  }
};

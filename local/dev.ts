// `npm run dev`: what changes in functions/, shared/ and convex/ takes effect while the service runs. New
// code is looked through before the old one is given up, so that a slip of the pen stops nothing.
import { existsSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { type BuildFailure, build, formatMessages } from "esbuild";
import type { LocalCloud } from "./cloud.ts";
import { watchFolder } from "./watchFolder.ts";

export interface DevOptions {
  /** Where the three folders are. */
  root: string;
  cloud: Pick<LocalCloud, "reloadFunctions" | "reloadConvex">;
  /** Hears in a line what was taken up, and why something was not. */
  report: (sentence: string) => void;
  /** Files that are saved together are taken up together; default 150 ms after the last. */
  settleMs?: number;
}

type Part = "functions" | "convex";

/** What goes on where new code does not load. An instance that is yet to start reads the files as they are. */
const UNCHANGED: Record<Part, string> = {
  convex: "the old code goes on.",
  functions: "what runs goes on with the old code, and nothing new starts.",
};

const SOURCE = /\.(?:ts|js|json|proto)$/;
const NO_SOURCE =
  /(?:^|\/)(?:_generated|node_modules|testing)\/|\.(?:test|setup)\.ts$|\.d\.ts$|(?:^|\/)\.|~$/;
const FOLDERS = ["functions", "shared", "convex"] as const;

/** What a changed file is part of; Convex's functions import nothing of the others but the contract. */
export const partsOf = (path: string): Part[] => {
  if (!SOURCE.test(path) || NO_SOURCE.test(path)) return [];
  if (path.startsWith("convex/")) return ["convex"];
  return path.startsWith("shared/contract/") ? ["functions", "convex"] : ["functions"];
};

/** @throws {Error} with what is wrong and where, as far as that is seen without running it */
const mustLoad = async (root: string): Promise<void> => {
  try {
    await build({
      absWorkingDir: root,
      entryPoints: ["functions/main.ts"],
      bundle: true,
      packages: "external",
      platform: "node",
      format: "esm",
      write: false,
      outdir: "dist",
      logLevel: "silent",
    });
  } catch (error) {
    const { errors } = error as BuildFailure;
    if (!Array.isArray(errors)) throw error;
    throw new Error((await formatMessages(errors, { kind: "error" })).join("").trim(), {
      cause: error,
    });
  }
};

const MOST_NAMES = 3;
const namesOf = (paths: ReadonlySet<string>): string => {
  const names = [...paths].sort();
  const more = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(", ") + (more > 0 ? ` and ${more} more` : "");
};

/** @returns what ends it */
export const startDev = (options: DevOptions): { close(): Promise<void> } => {
  const { root, cloud, report, settleMs = 150 } = options;
  let changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let last = Promise.resolve();

  const reloadFunctions = async (): Promise<string> => {
    await mustLoad(root);
    const count = cloud.reloadFunctions();
    return `functions load them anew (${count} ${count === 1 ? "instance" : "instances"} told to end)`;
  };
  const reloadConvex = async (): Promise<string> => {
    if (!cloud.reloadConvex) return "Convex is not ours here: deploy to it with npx convex dev";
    const startedAt = performance.now();
    await cloud.reloadConvex();
    return `Convex has loaded them (${Math.round(performance.now() - startedAt)} ms)`;
  };

  const reload = async (paths: ReadonlySet<string>): Promise<void> => {
    const parts = new Set([...paths].flatMap(partsOf));
    // Functions may call what is new in Convex.
    for (const part of ["convex", "functions"] as const) {
      if (!parts.has(part)) continue;
      const own = new Set([...paths].filter((path) => partsOf(path).includes(part)));
      try {
        const done = part === "convex" ? await reloadConvex() : await reloadFunctions();
        report(`${namesOf(own)}: ${done}.`);
      } catch (error) {
        report(`${namesOf(own)}: ${UNCHANGED[part]}\n${(error as Error).message}`);
      }
    }
    if (paths.has("functions/catalog.ts"))
      report("functions/catalog.ts: topics, routes and limits are those of the start; start anew.");
  };

  const settle = (): void => {
    if (isClosed) return;
    const paths = changed;
    changed = new Set();
    last = last.then(() => reload(paths));
  };
  const notice = (path: string): void => {
    if (partsOf(path).length === 0) return;
    changed.add(path);
    clearTimeout(timer);
    timer = setTimeout(settle, settleMs);
  };

  const watchers = FOLDERS.map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .map((folder) =>
      watchFolder(folder, {
        notice: (path) => notice(relative(root, path).split(sep).join("/")),
        lost: (lost, error) => report(`${lost} is not watched: ${error.message}`),
      }),
    );

  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      await last;
    },
  };
};

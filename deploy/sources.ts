// Hashes of what is deployed: what has the same is not built or sent again.
import { createHash } from "node:crypto";
import { type Dirent, existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { Json } from "./json.ts";

/** What the Dockerfile copies. */
const IMAGE = [
  "Dockerfile",
  "convex",
  "deploy/image",
  "functions",
  "package-lock.json",
  "package.json",
  "shared",
  "tools/build.ts",
  "tools/compileImage.ts",
  "tools/packImage.ts",
  "tools/startUp.ts",
];
const DATABASE = ["convex", "package-lock.json", "package.json", "shared/contract"];
const NOT_DEPLOYED = /\.(test|setup)\.ts$/;
const HASH_CHARS = 16;

const filesOf = (path: string): string[] => {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry: Dirent) => entry.isFile() && !NOT_DEPLOYED.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
};

const hashFiles = (root: string, paths: readonly string[]): string => {
  const hash = createHash("sha256");
  for (const file of paths.flatMap((path) => filesOf(join(root, path))).toSorted()) {
    const content = readFileSync(file);
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, HASH_CHARS);
};

/** Google fills in so much that what was asked for is remembered by its hash. */
export const hashOf = (value: Json): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);

export interface Sources {
  image: string;
  database: string;
}

/** @param root the repository */
export const hashSources = (root: string): Sources => ({
  image: hashFiles(root, IMAGE),
  database: hashFiles(root, DATABASE),
});

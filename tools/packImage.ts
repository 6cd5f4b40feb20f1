// What an instance runs, in one folder that needs nothing beside it: the bundle of `npm run build`, and
// of `node_modules` only what the bundle leaves out and what that needs itself. The Dockerfile makes
// the image's /app with it: `node tools/packImage.ts /app`.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join, matchesGlob, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { EXTERNAL, buildFunctions } from "./build.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The image has Debian's ffmpeg, which is mended when something is found in it. */
const FROM_DEBIAN = "@ffmpeg-binary/*";

const Package = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

const readPackage = async (folder: string): Promise<z.infer<typeof Package>> =>
  Package.parse(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));

/** Where a package is found from a folder, as Node looks for it. */
const findPackage = (name: string, from: string): string | undefined => {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    if (existsSync(join(found, "package.json"))) return found;
    if (folder === dirname(folder)) return undefined;
  }
};

/** Left out of the bundle, and installed here: npm leaves out what is for other platforms. */
const externalPackages = async (): Promise<string[]> => {
  const { dependencies, optionalDependencies } = await readPackage(ROOT);
  const names = Object.keys({ ...dependencies, ...optionalDependencies });
  return names
    .filter((name) => EXTERNAL.some((pattern) => matchesGlob(name, pattern)))
    .filter((name) => !matchesGlob(name, FROM_DEBIAN));
};

/**
 * Those packages and all they need, by the folders that they are in.
 * @throws {Error} for one that is needed and not installed
 */
const closure = async (): Promise<string[]> => {
  const { optionalDependencies: optional } = await readPackage(ROOT);
  const found = new Set<string>();
  const add = async (name: string, from: string, isOptional: boolean): Promise<void> => {
    if (name.startsWith("@types/")) return;
    const folder = findPackage(name, from);
    if (folder === undefined && isOptional) return;
    if (folder === undefined) throw new Error(`${name} is not installed; run npm ci.`);
    if (found.has(folder)) return;
    found.add(folder);
    const needed = await readPackage(folder);
    for (const one of Object.keys({ ...needed.dependencies, ...needed.optionalDependencies }))
      await add(one, folder, one in needed.optionalDependencies);
  };
  for (const name of await externalPackages()) await add(name, ROOT, name in optional);
  return [...found];
};

/** For compilers and debuggers; and packages inside it, which are copied for themselves. */
const isNeeded = (path: string): boolean =>
  !/\.(d\.[cm]?ts|map)$/.test(path) && !path.endsWith("/node_modules");

/**
 * @param outDir emptied first
 * @returns the file to give the framework as its source
 */
export const packImage = async (outDir: string): Promise<string> => {
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  for (const folder of await closure())
    await cp(folder, join(outDir, relative(ROOT, folder)), {
      recursive: true,
      filter: (path) => path === folder || isNeeded(path),
    });
  await writeFile(join(outDir, "package.json"), `${JSON.stringify({ type: "module" })}\n`);
  return buildFunctions(join(outDir, "functions"));
};

if (import.meta.main) {
  const [outDir] = process.argv.slice(2);
  if (outDir === undefined) {
    process.stderr.write("Usage: node tools/packImage.ts <folder, which is emptied>\n");
    process.exitCode = 2;
  } else await packImage(resolve(outDir));
}

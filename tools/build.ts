// `npm run build`: what is deployed, in `dist/functions/`. Bundled, an instance answers in half the
// time that the sources take (`npm run bench service` measures both): starting is mostly opening and
// stripping many small files. The code of each function is a chunk of its own, and an instance loads
// only that of the one FUNCTION_TARGET names:
// `functions-framework --source=dist/functions/main.mjs --target=$FUNCTION_TARGET`
// Beside it `job.mjs`, the process of a Cloud Run job, of the same chunks.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions } from "esbuild";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Left in `node_modules`: the framework knows functions by its own module's state, Google's clients
 * read files beside them and are loaded late anyway, the rest brings programs.
 */
export const EXTERNAL = ["@google-cloud/*", "google-auth-library", "@ffmpeg-binary/*", "@fugood/*"];

const COMMON: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  external: EXTERNAL,
  minifySyntax: true,
  logLevel: "warning",
  // Some of what is bundled is CommonJS and asks for Node's modules.
  banner: {
    js: 'import { createRequire as $createRequire } from "node:module"; const require = $createRequire(import.meta.url);',
  },
};

/**
 * @param outDir emptied first; the packages left out must be found from it
 * @returns the file to give the framework as its source
 */
export const buildFunctions = async (outDir = join(ROOT, "dist/functions")): Promise<string> => {
  await rm(outDir, { recursive: true, force: true });
  await build({
    ...COMMON,
    entryPoints: ["functions/main.ts", "functions/job.ts"],
    outdir: outDir,
    outExtension: { ".js": ".mjs" },
    splitting: true,
  });
  // Started by its file name, as a process of its own.
  await build({
    ...COMMON,
    entryPoints: ["shared/speech/whisperChild.ts"],
    outfile: join(outDir, "whisperChild.ts"),
  });
  return join(outDir, "main.mjs");
};

if (import.meta.main) await buildFunctions();

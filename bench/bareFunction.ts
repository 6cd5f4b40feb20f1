// A function that does nothing: what the framework alone costs.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { scratchFolder } from "./scratch.ts";

/** The framework's own command. */
export const FRAMEWORK = join(
  dirname(createRequire(import.meta.url).resolve("@google-cloud/functions-framework")),
  "main.js",
);

const SOURCE = `import * as ff from "@google-cloud/functions-framework";
ff.http("bare", (req, res) => { res.json({ status: "ok" }); });
`;

/** A folder in which packages are found, as beside the project's own sources. */
export const folderInProject = (): ReturnType<typeof scratchFolder> =>
  scratchFolder(fileURLToPath(new URL("../node_modules", import.meta.url)));

/** @returns the file to give the framework as its source; its function is called `bare` */
export const writeBareFunction = (folder: string): string => {
  const path = join(folder, "bare.mjs");
  writeFileSync(path, SOURCE);
  return path;
};

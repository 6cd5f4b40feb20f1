// `node tools/codegen.ts` writes `convex/_generated/`, as the Convex CLI does, without a deployment.
// What the CLI leaves out without one, the components, is added as it has it with one.
// The check does the same in a folder of its own and compares, so that a forgotten codegen shows.
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findComponents } from "#local/convex/components.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CLI = join(
  dirname(createRequire(import.meta.url).resolve("convex/package.json")),
  "bin/main.js",
);

/** @param projectDir holds `package.json`, `node_modules` and `convex/` */
const generate = async (projectDir: string): Promise<void> => {
  await runCli(projectDir);
  await addComponents(projectDir);
};

const addComponents = async (projectDir: string): Promise<void> => {
  const mounts = await findComponents(join(projectDir, "convex/convex.config.ts"));
  const types = mounts
    .filter(({ path }) => !path.includes("/"))
    .map(
      ({ path, specifier }) =>
        `  "${path}": import("${specifier}/_generated/component.js").ComponentApi<"${path}">,\n`,
    );
  await edit(
    join(projectDir, "convex/_generated/api.js"),
    (text) =>
      `${text.replace("import { anyApi }", "import { anyApi, componentsGeneric }")}export const components = componentsGeneric();\n`,
  );
  await edit(
    join(projectDir, "convex/_generated/api.d.ts"),
    (text) => `${text}\nexport declare const components: {\n${types.join("")}};\n`,
  );
};

const edit = async (path: string, change: (text: string) => string): Promise<void> =>
  writeFile(path, change(await readFile(path, "utf8")));

const runCli = (projectDir: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const args = [CLI, "codegen", "--system-udfs", "--typecheck", "disable"];
    const child = spawn(process.execPath, args, {
      cwd: projectDir,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`convex codegen exited with ${code}:\n${output}`)),
    );
  });

const readFolder = async (folder: string): Promise<Map<string, string>> => {
  const names = (await readdir(folder)).toSorted();
  const files = names.map(
    async (name) => [name, await readFile(join(folder, name), "utf8")] as const,
  );
  return new Map(await Promise.all(files));
};

/** @returns what differs between `convex/_generated/` and a fresh one; nothing where all is well */
export const checkCodegen = async (): Promise<string[]> => {
  const scratch = await mkdtemp(join(tmpdir(), "klipstream-codegen-"));
  try {
    await cp(join(ROOT, "convex"), join(scratch, "convex"), {
      recursive: true,
      filter: (path) => !path.endsWith("_generated"),
    });
    await symlink(join(ROOT, "node_modules"), join(scratch, "node_modules"));
    // The CLI wants to see that the project depends on Convex.
    const manifest = { type: "module", dependencies: { convex: "*" } };
    await writeFile(join(scratch, "package.json"), JSON.stringify(manifest));
    await generate(scratch);
    const fresh = await readFolder(join(scratch, "convex/_generated"));
    const kept = await readFolder(join(ROOT, "convex/_generated"));
    return [...new Set([...fresh.keys(), ...kept.keys()])]
      .filter((name) => fresh.get(name) !== kept.get(name))
      .map((name) => `convex/_generated/${name} is not fresh: run node tools/codegen.ts`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

if (import.meta.main) await generate(ROOT);

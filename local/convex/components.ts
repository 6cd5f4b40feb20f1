// The components that `convex.config.ts` mounts, found as Convex's CLI finds them: the definitions
// are bundled with every mounted component in place of its code, and then asked what they mount.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Plugin, build } from "esbuild";
import type { GenericSchema, SchemaDefinition } from "convex/server";
import type { ModuleMap } from "./modules.ts";

/** A component where it is mounted. */
export interface Mount {
  /** Names from the app down, joined by `/`: `studyPool/batchWorker`. */
  path: string;
  /** The package's folder as an import, without `convex.config.js`: `@convex-dev/workpool`. */
  specifier: string;
  /** Where the component's code is. */
  folder: string;
}

interface Definition {
  _childComponents: [name: string, definition: { specifier: string; file: string }, ...unknown[]][];
}

const CONFIG = /\/convex\.config(?:\.js)?$/;

/** Stands a name in for each component that a definition imports. */
const namesForComponents: Plugin = {
  name: "names-for-components",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: CONFIG }, ({ path, kind, resolveDir }) => {
      if (kind === "entry-point") return undefined;
      const file = createRequire(join(resolveDir, "x.js")).resolve(path);
      return { path: file, namespace: "component", pluginData: path.replace(CONFIG, "") };
    });
    onLoad({ filter: /.*/, namespace: "component" }, ({ path, pluginData }) => {
      const specifier = pluginData as string;
      const definition = {
        componentDefinitionPath: specifier,
        defaultName: nameOf(specifier),
        specifier,
        file: path,
      };
      return { contents: `export default ${JSON.stringify(definition)}` };
    });
  },
};

/** `batchWorker` for `@convex-dev/batch-worker`. */
const nameOf = (specifier: string): string =>
  (specifier.split("/").at(-1) ?? specifier).replaceAll(/-(\w)/g, (_, letter: string) =>
    letter.toUpperCase(),
  );

const definitions = new Map<string, Promise<Definition>>();

/** @param configFile  a `convex.config.ts`, or a component's `convex.config.js` */
const readDefinition = (configFile: string): Promise<Definition> => {
  const known = definitions.get(configFile) ?? bundleDefinition(configFile);
  definitions.set(configFile, known);
  return known;
};

const bundleDefinition = async (configFile: string): Promise<Definition> => {
  const { outputFiles } = await build({
    entryPoints: [configFile],
    bundle: true,
    platform: "node",
    format: "esm",
    plugins: [namesForComponents],
    write: false,
    logLevel: "silent",
  });
  const code = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
  const module = (await import(`data:text/javascript;base64,${code}`)) as { default: Definition };
  return module.default;
};

/** Every component an app mounts, the nested ones after those that mount them. */
export const findComponents = async (configFile: string, parent = ""): Promise<Mount[]> => {
  const mounts: Mount[] = [];
  for (const [name, { specifier, file }] of (await readDefinition(configFile))._childComponents) {
    const path = parent + name;
    mounts.push({ path, specifier, folder: dirname(file) });
    mounts.push(...(await findComponents(file, `${path}/`)));
  }
  return mounts;
};

/** A component's tables and functions. */
export interface MountedComponent {
  /** As in `Mount`. */
  path: string;
  schema: SchemaDefinition<GenericSchema, boolean>;
  modules: ModuleMap;
}

/** What an app mounts, with its code; nothing where it has no `convex.config.ts`. */
export const loadComponents = async (configFile: string): Promise<MountedComponent[]> =>
  existsSync(configFile)
    ? Promise.all((await findComponents(configFile)).map((mount) => loadComponent(mount)))
    : [];

/** From the JavaScript of the component's package. */
const loadComponent = async ({ path, folder }: Mount): Promise<MountedComponent> => {
  const modules: ModuleMap = {};
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith(".js") || name.includes(".test.") || name === "convex.config.js") continue;
    const url = pathToFileURL(join(folder, name)).href;
    modules[`./${name}`] = () => import(/* @vite-ignore */ url);
  }
  const load = modules["./schema.js"];
  if (!load) throw new Error(`${folder} has no schema.js.`);
  const { default: schema } = (await load()) as {
    default: SchemaDefinition<GenericSchema, boolean>;
  };
  delete modules["./schema.js"];
  return { path, schema, modules };
};

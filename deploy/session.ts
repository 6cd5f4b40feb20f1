// What deploy and destroy begin with: settings, checks, the plan, and what is there.
import { fileURLToPath } from "node:url";
import { type World, createWorld } from "./apply.ts";
import { checkConvex, checkMachine, checkProject } from "./checks.ts";
import { NotReady, type Options, WrongUse } from "./commandLine.ts";
import { type Plan, type Release, makePlan } from "./plan.ts";
import type { Resource } from "./resource.ts";
import { BadSettings, type Settings, gather, readSettings } from "./settings.ts";
import { hashSources } from "./sources.ts";
import { type Tools, createTools } from "./tools.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What is the machine's; tests bring their own. */
export interface Machine {
  env: NodeJS.ProcessEnv;
  /** Where `.env` and `.env.yaml` lie. */
  folder: string;
  tools(env: NodeJS.ProcessEnv): Tools;
  print(text: string): void;
  complain(text: string): void;
}

export const machine = (): Machine => ({
  env: process.env,
  folder: process.cwd(),
  tools: createTools,
  print: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
});

export interface Session {
  settings: Settings;
  plan: Plan;
  /** What `--only` picks, in order. */
  selected: readonly Resource[];
  tools: Tools;
  world: World;
  projectNumber: string;
}

/** @throws {WrongUse} for a name that is none */
const select = ({ resources, parts }: Plan, only: readonly string[]): readonly Resource[] => {
  const unknown = only.filter((name) => !parts.includes(name));
  if (unknown.length > 0) {
    throw new WrongUse(`--only ${unknown.join(" ")}: there are ${parts.join(", ")}.`);
  }
  if (only.length === 0) return resources;
  return resources.filter((resource) => resource.parts.some((part) => only.includes(part)));
};

/** Convex's command line reads who it is from its environment. */
const toolsFor = (settings: Settings | null, { env, tools }: Machine): Tools =>
  tools({ ...env, ...settings?.convexAccess });

const settingsOf = (
  options: Options,
  { env, folder }: Machine,
): { settings: Settings | null; problems: readonly string[] } => {
  try {
    return { settings: readSettings(gather(options.variables, env, folder)), problems: [] };
  } catch (error) {
    if (!(error instanceof BadSettings)) throw error;
    return { settings: null, problems: error.problems };
  }
};

/** Stands for the project's number where nobody can be asked. */
const NO_NUMBER = "PROJECT_NUMBER";

/** `show` asks nobody: as if nothing were there. `remove` looks for all that there may be. */
export type Purpose = "make" | "show" | "remove";

/** What was made may have been made with an address for alerts, and without an image of one's own. */
const forRemoval = (settings: Settings): Settings => ({
  ...settings,
  image: undefined,
  alertEmail: settings.alertEmail ?? "nobody@example.com",
});

const look = async (
  settings: Settings | null,
  tools: Tools,
  purpose: Purpose,
  selected: readonly Resource[],
): Promise<{ problems: string[]; projectNumber: string }> => {
  if (purpose === "show") return { problems: [], projectNumber: NO_NUMBER };
  const problems = await checkMachine(tools, ROOT);
  if (!settings || problems.length > 0) return { problems, projectNumber: "" };
  const [project, database] = await Promise.all([
    checkProject(settings.projectId, tools),
    purpose === "make" && selected.some(({ read }) => read.tool === "convex")
      ? checkConvex(settings, tools)
      : [],
  ]);
  return { ...project, problems: [...project.problems, ...database] };
};

/** @throws {NotReady} with everything that is missing */
export const openSession = async (
  options: Options,
  from: Machine,
  purpose: Purpose,
  release: Release = {},
): Promise<Session> => {
  const { settings: read, problems } = settingsOf(options, from);
  const settings = read && (purpose === "remove" ? forRemoval(read) : read);
  const plan = settings && makePlan(settings, hashSources(ROOT), release);
  const selected = plan ? select(plan, options.only) : [];
  const tools = toolsFor(read, from);
  const found = await look(settings, tools, purpose, selected);
  const all = [...problems, ...found.problems];
  if (!plan || all.length > 0) throw new NotReady(all);
  const { projectNumber } = found;
  const world = createWorld(plan.resources, purpose === "show" ? null : tools, projectNumber);
  return { settings, plan, selected, tools, world, projectNumber };
};

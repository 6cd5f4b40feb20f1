// What must be so before anything is done. All of it is looked at, so that one run tells everything
// that is missing.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type World, inParallel } from "./apply.ts";
import { at, textAt } from "./json.ts";
import { type Resource, gcloud } from "./resource.ts";
import type { Settings } from "./settings.ts";
import { CommandFailed, type Tools, readJson } from "./tools.ts";

/** The line that says what is wrong: the one so marked, or the last that is no stack's. */
const reason = (error: CommandFailed): string => {
  const lines = error.stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("at "));
  return lines.find((line) => /^(✖|error\b)/i.test(line)) ?? lines.at(-1) ?? error.message;
};

/** What `look` answers, or a line about why it cannot be answered. */
const attempt = async <T>(
  look: () => Promise<T>,
  problem: (why: string) => string,
): Promise<{ value: T } | { problem: string }> => {
  try {
    return { value: await look() };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return { problem: problem(reason(error)) };
  }
};

/** @param root the repository */
export const checkMachine = async (tools: Tools, root: string): Promise<string[]> => {
  const problems: string[] = [];
  if (!existsSync(join(root, "node_modules/convex"))) {
    problems.push("node_modules is not complete: run npm ci.");
  }
  const version = await attempt(
    () => readJson(tools, gcloud("version", "--format=json")),
    () => "gcloud is not there: https://cloud.google.com/sdk/docs/install",
  );
  if ("problem" in version) return [...problems, version.problem];
  for (const component of ["alpha", "beta"]) {
    if (at(version.value, component) === undefined) {
      problems.push(`gcloud has no ${component} commands: gcloud components install ${component}`);
    }
  }
  const login = await attempt(
    () => readJson(tools, gcloud("auth", "list", "--filter=status:ACTIVE", "--format=json")),
    (why) => `gcloud cannot tell who is logged in: ${why}`,
  );
  if ("problem" in login) problems.push(login.problem);
  else if (!Array.isArray(login.value) || login.value.length === 0) {
    problems.push("Nobody is logged in: gcloud auth login");
  }
  return problems;
};

export interface ProjectChecks {
  problems: string[];
  /** `""` where it could not be found out. */
  projectNumber: string;
}

export const checkProject = async (projectId: string, tools: Tools): Promise<ProjectChecks> => {
  const [project, billing] = await Promise.all([
    attempt(
      () => readJson(tools, gcloud("projects", "describe", projectId, "--format=json")),
      (why) => `There is no project ${projectId} that you may see: ${why}`,
    ),
    attempt(
      () => readJson(tools, gcloud("billing", "projects", "describe", projectId, "--format=json")),
      (why) => `Whether ${projectId} has a billing account cannot be seen: ${why}`,
    ),
  ]);
  if ("problem" in project) return { problems: [project.problem], projectNumber: "" };
  const problems: string[] = [];
  if ("problem" in billing) problems.push(billing.problem);
  else if (at(billing.value, "billingEnabled") !== true) {
    problems.push(
      `${projectId} has no billing account: https://console.cloud.google.com/billing/projects`,
    );
  }
  return { problems, projectNumber: textAt(project.value, "projectNumber") };
};

export const checkConvex = async ({ convexUrl }: Settings, tools: Tools): Promise<string[]> => {
  const answer = await attempt(
    () => tools.run({ tool: "convex", args: ["env", "list", "--include-values"] }),
    (why) => `Convex at ${convexUrl} does not take the deploy key: ${why}`,
  );
  return "problem" in answer ? [answer.problem] : [];
};

/** The names of buckets are one for all the world. */
const checkBucket = async (
  { bucket }: Settings,
  resources: readonly Resource[],
  world: World,
  tools: Tools,
): Promise<string[]> => {
  const ours = resources.find(({ kind }) => kind === "bucket");
  if (!ours || (await world.current(ours)) !== undefined) return [];
  const taken = `The bucket name ${bucket} is taken: set BUCKET to another.`;
  try {
    await tools.run(gcloud("storage", "buckets", "describe", `gs://${bucket}`, "--format=json"));
    return [taken];
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return /\b403\b|does not have storage\./.test(error.stderr) ? [taken] : [];
  }
};

const FIXED_NAMES =
  "These names are fixed, topics' and subscriptions' as well: KlipStream wants a project in which nothing else has them, and is there once.";

/**
 * Names that others have: what is there without our label, or our line in its description. And what
 * cannot be read. What is read is kept for what follows.
 */
export const checkNames = async (
  settings: Settings,
  resources: readonly Resource[],
  world: World,
  tools: Tools,
): Promise<string[]> => {
  const problems = new Set<string>();
  let isTaken = false;
  await inParallel(resources, async (resource) => {
    const look = await attempt(
      () => world.current(resource),
      (why) => `${resource.id} cannot be read: ${why}`,
    );
    if ("problem" in look) problems.add(look.problem);
    else if (look.value !== undefined && !resource.isOurs(look.value)) {
      problems.add(`${resource.id} is there already and was not made by this script.`);
      isTaken = true;
    }
  });
  if (isTaken) problems.add(FIXED_NAMES);
  if (problems.size > 0) return [...problems];
  return checkBucket(settings, resources, world, tools);
};

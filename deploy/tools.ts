// The only place that runs anything: gcloud, and Convex's command line. Files that a command needs
// are written to a folder of their own and are gone afterwards.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Json } from "./json.ts";
import type { Command } from "./resource.ts";

export interface Tools {
  /** Standard output. @throws {CommandFailed} */
  run(command: Command): Promise<string>;
}

export class CommandFailed extends Error {
  override name = "CommandFailed";
  readonly stderr: string;
  constructor(command: Command, stderr: string, options?: ErrorOptions) {
    super(`${commandLine(command)}\n${stderr.trim()}`, options);
    this.stderr = stderr;
  }
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CONVEX = join(ROOT, "node_modules/convex/bin/main.js");

const quote = (text: string): string =>
  /^[\w@%+=:,./{}-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** A command as one would type it; a file is shown by its name. */
export const commandLine = ({ tool, args, secretInput }: Command): string => {
  const shown = args.map((arg) => quote(arg.replaceAll(/\{\{([\w.-]+)\}\}/g, "$1")));
  const words = [tool === "gcloud" ? "gcloud" : "npx convex", ...shown];
  return `${words.join(" ")}${secretInput ? ` < (${secretInput.shown})` : ""}`;
};

const withFiles = async <T>(
  { args, files = {} }: Command,
  use: (args: readonly string[]) => Promise<T>,
): Promise<T> => {
  if (Object.keys(files).length === 0) return use(args);
  const folder = await mkdtemp(join(tmpdir(), "deploy-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(folder, name), content, { mode: 0o600 });
    }
    return await use(
      args.map((arg) =>
        arg.replaceAll(/\{\{([\w.-]+)\}\}/g, (_, name: string) => join(folder, name)),
      ),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/**
 * What passes by itself: accounts and APIs that are new are not known everywhere at once, and two
 * changes of one policy collide.
 */
const PASSES =
  /concurrent policy changes|ABORTED|UNAVAILABLE|HttpError 50[023]|has not been used in project|is not yet|being created|service account .*does not exist|Permission denied on secret|does not have storage\.objects\.get|serviceaccount\S* does not exist|not found; gaia id not found|rate limit|RESOURCE_EXHAUSTED/i;
const TRIES = 6;
const FIRST_WAIT_MS = 2_000;

const once = (
  command: Command,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> => {
  const [program, ...first] = command.tool === "gcloud" ? ["gcloud"] : [process.execPath, CONVEX];
  return new Promise((resolve, reject) => {
    const child = spawn(program ?? "", [...first, ...args], {
      cwd: ROOT,
      env: { ...env, CLOUDSDK_CORE_DISABLE_PROMPTS: "1" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    // One that does not read its input may be gone before all is written; its status tells.
    child.stdin.on("error", () => undefined);
    child.stdin.end(command.secretInput?.text ?? "");
    child.once("error", (cause) => reject(new CommandFailed(command, cause.message, { cause })));
    child.once("close", (code) => {
      const text = Buffer.concat(out).toString("utf8");
      if (code === 0) resolve(text);
      else reject(new CommandFailed(command, Buffer.concat(err).toString("utf8") || text));
    });
  });
};

/** @param wait between tries of what passes by itself; tests need not sit through it */
export const createTools = (
  env: NodeJS.ProcessEnv,
  wait: (ms: number) => Promise<unknown> = sleep,
): Tools => ({
  run: (command) =>
    withFiles(command, async (args) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await once(command, args, env);
        } catch (error) {
          const passes = error instanceof CommandFailed && PASSES.test(error.stderr);
          if (!passes || attempt === TRIES) throw error;
          await wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
        }
      }
    }),
});

/** @throws {CommandFailed} also where the answer is no JSON */
export const readJson = async (tools: Tools, command: Command): Promise<Json> => {
  const text = await tools.run(command);
  try {
    // Some listings say nothing at all where there is nothing.
    return text.trim() === "" ? [] : (JSON.parse(text) as Json);
  } catch (cause) {
    throw new CommandFailed(command, `It answered no JSON: ${text.slice(0, 200)}`, { cause });
  }
};

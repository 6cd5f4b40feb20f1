// What runs in the thread of thread.ts. It loads the functions first and is then told to serve them, or
// to let go of the database again: so one thread can take another's place.
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import type { ThreadAnswer, ThreadCommand, ThreadData } from "./thread.ts";
import { loadComponents } from "./components.ts";
import { createEnterCall } from "./fatalCalls.ts";
import { findModules, loadSchema } from "./modules.ts";
import { type LocalConvex, startConvex } from "./server.ts";

// oxlint-disable-next-line require-post-message-target-origin -- a thread's port has none
const answer = (message: ThreadAnswer): void => parentPort?.postMessage(message);

// What a function forgot to wait for, a timer for one, must not take the database with it.
process.on("unhandledRejection", (error) => console.error("convex:", error));
process.on("uncaughtException", (error) => console.error("convex:", error));

const { folder, isWhole, beats, beatMs, callMark, fatalCalls, ...options } =
  workerData as ThreadData;
const enterCall = createEnterCall(callMark, fatalCalls);
setInterval(() => Atomics.add(beats, 0, 1), beatMs).unref();

const load = async () => {
  const modules = await findModules(folder);
  const schema = await loadSchema(modules);
  const components = await loadComponents(join(folder, "convex.config.ts"));
  if (isWhole) await Promise.all(Object.values(modules).map((one) => one()));
  return { modules, schema, components };
};

let serving: LocalConvex | undefined;

const handle = async (
  functions: Awaited<ReturnType<typeof load>>,
  command: ThreadCommand,
): Promise<ThreadAnswer> => {
  switch (command.kind) {
    case "serve":
      serving = await startConvex({ ...options, ...functions, enterCall, port: command.port });
      return { kind: "serving", url: serving.url };
    case "rest":
      await serving?.close();
      serving = undefined;
      return { kind: "resting" };
  }
};

/** Where in a function's file it was matters to a person, where in other code does not. */
const isForPeople = (line: string): boolean => !/^ +at /.test(line) || line.includes(folder);

const failed = (error: unknown): ThreadAnswer => {
  const reasons: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause)
    reasons.push(reasons.length === 0 ? (at.stack ?? at.message) : `  because: ${at.message}`);
  const lines = (reasons.join("\n") || String(error)).split("\n");
  return {
    kind: "failed",
    error: lines
      .filter(isForPeople)
      .join("\n")
      .replace(/^Error: /, ""),
  };
};

try {
  const functions = await load();
  parentPort?.on("message", (command: ThreadCommand) => {
    handle(functions, command).catch(failed).then(answer, console.error);
  });
  answer({ kind: "loaded" });
} catch (error) {
  answer(failed(error));
}

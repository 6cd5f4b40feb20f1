// What runs in the thread of thread.ts.
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import type { ConvexThreadOptions, ThreadAnswer } from "./thread.ts";
import { loadComponents } from "./components.ts";
import { findModules, loadSchema } from "./modules.ts";
import { startConvex } from "./server.ts";

// oxlint-disable-next-line require-post-message-target-origin -- a thread's port has none
const answer = (message: ThreadAnswer): void => parentPort?.postMessage(message);

// What a function forgot to wait for must not take the database with it.
process.on("unhandledRejection", (error) => console.error("convex:", error));

try {
  const { folder, ...options } = workerData as Omit<ConvexThreadOptions, "env">;
  const modules = await findModules(folder);
  const schema = await loadSchema(modules);
  const components = await loadComponents(join(folder, "convex.config.ts"));
  const { url } = await startConvex({ modules, schema, components, ...options });
  answer({ kind: "listening", url });
} catch (error) {
  answer({ kind: "failed", error: error instanceof Error ? (error.stack ?? "") : String(error) });
}

// Storage as a process of its own, so that a test can kill it: `node serverProcess.ts DATA_DIR [PORT]`.
// Says its origin on standard output; for a message it answers with its memory, in bytes.
import { startStorage } from "../server.ts";

const storage = await startStorage({
  dataDir: process.argv[2] ?? "",
  port: Number(process.argv[3] ?? 0),
  verifySigner: () => undefined,
  buckets: ["media"],
});
process.stdout.write(`${storage.origin}\n`);
process.on("message", () => process.send?.(process.memoryUsage().rss));

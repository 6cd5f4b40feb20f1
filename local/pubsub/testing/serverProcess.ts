// Pub/Sub as a process of its own, so that a test can kill it: `node serverProcess.ts DATA_DIR`.
// Says its address on standard output.
import { startPubSub } from "../server.ts";

const pubsub = await startPubSub({
  dataDir: process.argv[2] ?? "",
  mintIdToken: () => Promise.reject(new Error("No push here carries a token.")),
});
process.stdout.write(`${pubsub.address}\n`);

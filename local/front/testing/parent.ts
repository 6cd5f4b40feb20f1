// A process with a front, for the test that kills it: prints its instance's pid, and stays.
import { fileURLToPath } from "node:url";
import { startFront } from "../server.ts";

const host = fileURLToPath(new URL("host.ts", import.meta.url));
const front = await startFront({
  catalog: [
    {
      name: "open",
      trigger: { kind: "http", routes: [{ method: "GET", path: "/" }] },
      public: true,
      memoryMiB: 128,
      cpu: 1,
      timeoutSec: 10,
      concurrency: 1,
      maxInstances: 1,
      account: "api",
      secrets: [],
    },
  ],
  verifyIdToken: () => Promise.reject(new Error("no tokens here")),
  invokers: [],
  environment: () => ({ PATH: process.env["PATH"] ?? "" }),
  command: [process.execPath, "--import", new URL("../preload.ts", import.meta.url).href, host],
});
const response = await fetch(`${front.origin}/`);
const { pid } = (await response.json()) as { pid: number };
console.log(pid);

// A process with a whole cloud, for the test that kills it: prints where it is, and stays.
import { startCloud } from "../../cloud.ts";

const cloud = await startCloud({ dataDir: process.argv[2] ?? "" });
await fetch(`${cloud.origin}/health`);
const pids = cloud.instances().map((instance) => instance.pid);
const { apiKey, origin, convexUrl, storageOrigin } = cloud;
console.log(JSON.stringify({ apiKey, pids, addresses: { origin, convexUrl, storageOrigin } }));

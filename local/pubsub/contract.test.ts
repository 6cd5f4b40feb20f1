// The contract on ours, and on Google's emulator where gcloud has it.
import { describe } from "vitest";
import { contractTests, PROJECT } from "./contract.ts";
import { emulatorInstalled, startEmulator } from "./emulator.ts";
import { startPubSub } from "./server.ts";

describe("Pub/Sub", () => {
  contractTests({
    name: "Google's emulator (needs gcloud with pubsub-emulator)",
    present: emulatorInstalled,
    start: (dataDir) => startEmulator(PROJECT, dataDir),
    countsAttempts: false,
  });
  contractTests({
    name: "ours",
    present: true,
    async start(dataDir) {
      const mintIdToken = () => Promise.reject(new Error("No push here carries a token."));
      const server = await startPubSub({ dataDir, mintIdToken, report: () => {} });
      return { address: server.address, stop: () => server.close() };
    },
    countsAttempts: true,
  });
});

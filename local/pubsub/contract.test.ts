// The contract on ours, and on Google's emulator where gcloud has it.
import { describe } from "vitest";
import { CONTENDERS, contend } from "./contender.ts";
import { contractTests } from "./contract.ts";

describe("Pub/Sub", () => {
  for (const contender of CONTENDERS) contend(contender, contractTests);
});

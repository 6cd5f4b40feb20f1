// The contract on ours; contract.slow.test.ts holds Google's emulator to the same.
import { describe } from "vitest";
import { OURS, contend } from "./testing/contender.ts";
import { contractTests } from "./testing/contract.ts";

describe("Pub/Sub", () => {
  contend(OURS, contractTests);
});

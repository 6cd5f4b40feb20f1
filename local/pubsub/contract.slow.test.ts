// The contract on Google's emulator, where gcloud has it, and what of it takes longer, on both.
import { describe } from "vitest";
import { GOOGLE, OURS, contend } from "./testing/contender.ts";
import { contractTests } from "./testing/contract.ts";
import { slowContractTests } from "./testing/contractSlow.ts";

describe("Pub/Sub", () => {
  contend(GOOGLE, contractTests);
  for (const contender of [OURS, GOOGLE]) contend(contender, slowContractTests);
});

// A service account for tests: a key made on the spot, and what checks its signatures.
import { generateKeyPairSync } from "node:crypto";
import type { VerifySigner } from "../signing.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

export const SIGNER = {
  client_email: "pipeline@klipstream.iam.gserviceaccount.com",
  private_key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
} as const;

export const verifySigner: VerifySigner = (email) =>
  email === SIGNER.client_email ? publicKey : undefined;

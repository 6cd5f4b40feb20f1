// The keys of the local cloud, made once and kept in the data folder: one that signs ID tokens,
// and one per service account, in the form of the key file that Google's clients read.
import { createPrivateKey, createPublicKey, generateKeyPair, randomInt } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { readKept, readKeptText, writeKept, writeKeptText } from "../keptFile.ts";

const generate = promisify(generateKeyPair);

const AccountFile = z.object({
  type: z.literal("service_account"),
  project_id: z.string(),
  private_key_id: z.string(),
  private_key: z.string().includes("PRIVATE KEY"),
  client_email: z.string(),
  client_id: z.string(),
  token_uri: z.string(),
  universe_domain: z.string(),
});

export interface ServiceAccount {
  name: string;
  email: string;
  /** The account's unique id, the `sub` of its tokens. */
  subject: string;
  /** Key file for `GOOGLE_APPLICATION_CREDENTIALS`, readable by the owner only. */
  credentialsFile: string;
  /** Verifies what the account signed, as V4 signed URLs. */
  publicKey: KeyObject;
}

const newPrivateKeyPem = async (): Promise<string> => {
  const { privateKey } = await generate("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
};

/** The key that signs ID tokens: `<folder>/issuer.pem`, made where it is missing. */
export const loadIssuerKey = async (folder: string): Promise<KeyObject> => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const path = join(folder, "issuer.pem");
  const kept = await readKeptText(path, createPrivateKey);
  if (kept) return kept;
  const pem = await newPrivateKeyPem();
  await writeKeptText(path, pem);
  return createPrivateKey(pem);
};

/** One account: `<folder>/<name>.json`, made where it is missing. */
export const loadAccount = async (
  folder: string,
  name: string,
  projectId: string,
): Promise<ServiceAccount> => {
  const path = join(folder, `${name}.json`);
  let file = await readKept(path, AccountFile);
  if (file === undefined) {
    file = {
      type: "service_account",
      project_id: projectId,
      private_key_id: randomInt(2 ** 47).toString(16),
      private_key: await newPrivateKeyPem(),
      client_email: `${name}@${projectId}.iam.gserviceaccount.com`,
      // Google's are 21 digits; this many keep the string what it is everywhere.
      client_id: `1${Array.from({ length: 20 }, () => randomInt(10)).join("")}`,
      token_uri: "https://oauth2.googleapis.com/token",
      universe_domain: "googleapis.com",
    };
    await writeKept(path, file);
  }
  return {
    name,
    email: file.client_email,
    subject: file.client_id,
    credentialsFile: path,
    publicKey: createPublicKey(file.private_key),
  };
};

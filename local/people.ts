// Who uses the local cloud: people by any name and role, whose tokens are signed with a key of the
// data folder. Convex and the HTTP API get its public half, so the tokens take the same way as those
// of an identity provider.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SignJWT, exportJWK, generateKeyPair, importJWK } from "jose";
import { z } from "zod";
import type { Role } from "#convex/model/access.ts";
import { readKept, writeKept } from "./keptFile.ts";

/** Never looked up, since its key is given with it; the same at every start, as are people's names. */
const ISSUER = "https://klipstream.invalid/people";
const ALGORITHM = "ES256";
const LIFETIME = "12h";

/** The person whose machine this is; the API key and the command line are theirs. */
export const LOCAL_PERSON = "local";

/** Whose a person's things are in Convex. */
export const localOwnerId = (name: string): string => `${ISSUER}|${name}`;

export interface LocalPeople {
  /** `USERS_ISSUER` and `USERS_JWKS` for Convex and the functions. */
  environment: Record<"USERS_ISSUER" | "USERS_JWKS", string>;
  /** @param role  default admin for the machine's own person, else learner */
  token(person: { name: string; role?: Role | undefined; audience: string }): Promise<string>;
}

const PrivateKey = z.looseObject({
  kty: z.literal("EC"),
  crv: z.string(),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});
type PrivateKey = z.infer<typeof PrivateKey>;

/** The key of a data folder, made where it is missing; readable by the owner only. */
export const loadPeople = async (dataDir: string): Promise<LocalPeople> => {
  const key = await loadKey(join(dataDir, "people"));
  const { d: _private, ...publicKey } = key;
  return {
    environment: {
      USERS_ISSUER: ISSUER,
      USERS_JWKS: JSON.stringify({ keys: [{ ...publicKey, use: "sig", alg: ALGORITHM }] }),
    },
    token: async ({ name, role, audience }) => {
      const claimed = role ?? (name === LOCAL_PERSON ? "admin" : "learner");
      return new SignJWT({ name, roles: [claimed] })
        .setProtectedHeader({ alg: ALGORITHM })
        .setIssuer(ISSUER)
        .setSubject(name)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(LIFETIME)
        .sign(await importJWK(key, ALGORITHM));
    },
  };
};

const loadKey = async (folder: string): Promise<PrivateKey> => {
  const path = join(folder, "key.json");
  const kept = await readKept(path, PrivateKey);
  if (kept) return kept;
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const made = PrivateKey.parse(await exportJWK(privateKey));
  await writeKept(path, made);
  return made;
};

// Google's own clients against the local metadata server.
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createVerify } from "node:crypto";
import { Compute, GoogleAuth } from "google-auth-library";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMetadata } from "./server.ts";
import type { Metadata } from "./server.ts";

let folder: string;
let metadata: Metadata;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "metadata-"));
  metadata = await startMetadata({ dataDir: folder, projectId: "p1", accounts: ["api", "worker"] });
});
afterAll(async () => {
  delete process.env["GCE_METADATA_HOST"];
  await metadata.close();
  await rm(folder, { recursive: true });
});

/** What a client in a process of this account gets; its address is read at each request. */
const asAccount = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
  process.env["GCE_METADATA_HOST"] = metadata.account(name).metadataHost;
  return await run();
};

describe("google-auth-library", () => {
  it("finds itself on Google Cloud, with the account's identity", async () => {
    await asAccount("worker", async () => {
      const auth = new GoogleAuth();
      expect(await auth.getProjectId()).toBe("p1");
      expect((await auth.getCredentials()).client_email).toBe("worker@p1.iam.gserviceaccount.com");
      expect(await auth.getAccessToken()).toMatch(/^local\.worker\./);
    });
  });

  it("gets ID tokens that verify against the issuer's published keys", async () => {
    const audience = "http://127.0.0.1:1/_functions/ingest?a=b";
    for (const name of ["api", "worker"]) {
      const token = await asAccount(name, () => new Compute().fetchIdToken(audience));
      const discovery = await fetch(`${metadata.issuer}/.well-known/openid-configuration`);
      const { issuer, jwks_uri } = (await discovery.json()) as { issuer: string; jwks_uri: string };
      const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwks_uri)), {
        issuer,
        audience,
      });
      const { email, subject } = metadata.account(name);
      expect(payload).toMatchObject({ email, sub: subject, email_verified: true });
      expect(payload.exp! - payload.iat!).toBe(3600);
      expect(await metadata.verifyIdToken(token, audience)).toEqual({ email });
      await expect(metadata.verifyIdToken(token, "another")).rejects.toThrow("aud");
    }
  });

  it("signs with the key file what the account's public key verifies", async () => {
    const { credentialsFile, publicKey, email } = metadata.account("api");
    const auth = new GoogleAuth({ keyFilename: credentialsFile });
    const signature = await auth.sign("text");
    expect(createVerify("RSA-SHA256").update("text").verify(publicKey, signature, "base64")).toBe(
      true,
    );
    expect(metadata.accountByEmail(email)?.name).toBe("api");
    expect((await stat(credentialsFile)).mode & 0o777).toBe(0o600);
  });
});

it("refuses what does not come from a client on the machine", async () => {
  const base = `http://${metadata.account("api").metadataHost}/computeMetadata/v1`;
  const url = `${base}/instance/service-accounts/default/identity`;
  const flavor = { "Metadata-Flavor": "Google" };
  expect((await fetch(`${url}?audience=x`)).status).toBe(403);
  const forwarded = { ...flavor, "X-Forwarded-For": "10.0.0.1" };
  expect((await fetch(`${url}?audience=x`, { headers: forwarded })).status).toBe(403);
  expect((await fetch(url, { headers: flavor })).status).toBe(400);
  expect((await fetch(`${base}/nothing`, { headers: flavor })).status).toBe(404);
  const other = url.replace("default", "worker@p1.iam.gserviceaccount.com");
  expect((await fetch(`${other}?audience=x`, { headers: flavor })).status).toBe(404);
});

it("keeps its keys, and refuses an expired token", async () => {
  const before = await readFile(metadata.account("api").credentialsFile, "utf8");
  const twoHoursMs = 2 * 3600_000;
  const later = await startMetadata({
    dataDir: folder,
    projectId: "p1",
    accounts: ["api"],
    clock: () => Date.now() - twoHoursMs,
  });
  expect(await readFile(later.account("api").credentialsFile, "utf8")).toBe(before);
  const old = await later.mintIdToken({
    serviceAccountEmail: later.account("api").email,
    audience: "x",
  });
  await expect(later.verifyIdToken(old, "x")).resolves.toBeTruthy();
  const keys = createRemoteJWKSet(new URL(`${metadata.issuer}/oauth2/v3/certs`));
  await expect(jwtVerify(old, keys)).rejects.toThrow("exp");
  await later.close();
});

it("answers a path that is none, and goes on", async () => {
  expect((await fetch(`${metadata.issuer}//`)).status).toBe(404);
  const { metadataHost } = metadata.account("api");
  const headers = { "Metadata-Flavor": "Google" };
  expect((await fetch(`http://${metadataHost}//`, { headers })).status).toBe(200);
});

it("does not answer a page whose name leads here", async () => {
  const [host, port] = metadata.account("api").metadataHost.split(":");
  const path = "/computeMetadata/v1/instance/service-accounts/default/token";
  const statusFor = (name: string) =>
    new Promise<number | undefined>((resolve) => {
      const headers = { host: `${name}:${port}`, "metadata-flavor": "Google" };
      request({ host, port, path, headers }, (response) =>
        resolve(response.resume().statusCode),
      ).end();
    });
  expect(await statusFor("evil.test")).toBe(403);
  expect(await statusFor("localhost")).toBe(200);
});

it.each(["issuer.pem", "api.json"])(
  "names %s where it cannot be read, and leaves it",
  async (name) => {
    const dataDir = await mkdtemp(join(folder, "damaged-"));
    await mkdir(join(dataDir, "metadata"));
    const path = join(dataDir, "metadata", name);
    await writeFile(path, "damaged");
    const starting = startMetadata({ dataDir, projectId: "p1", accounts: ["api"] });
    await expect(starting).rejects.toThrow(`${path} cannot be read`);
    expect(await readFile(path, "utf8")).toBe("damaged");
  },
);

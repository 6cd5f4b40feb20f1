// Stands for Google's metadata server. Each account has an address of its own, so that a process that
// is told `GCE_METADATA_HOST` is that account; its ID tokens are those of issuer.ts.
//
// Signing and identity take two ways here, because the clients leave no other: V4 signing without
// a key calls iamcredentials.googleapis.com at an address that only a change to production code
// could replace, so a process also gets a generated key file (GOOGLE_APPLICATION_CREDENTIALS) and
// signs offline. With a key file google-auth-library would no longer ask the metadata server for
// ID tokens; whoever needs one asks it through `new Compute().fetchIdToken(audience)`, which is
// also what runs on Cloud Run.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { join } from "node:path";
import { answerJson, isOwnHost, listen, pathOf, stop } from "../httpServer.ts";
import { TOKEN_LIFETIME_SEC, startIssuer } from "./issuer.ts";
import { loadAccount, loadIssuerKey } from "./keys.ts";
import type { ServiceAccount } from "./keys.ts";

export interface MetadataOptions {
  dataDir: string;
  projectId: string;
  /** Names of the accounts, as `api` and `worker`. */
  accounts: readonly string[];
  /** Milliseconds since 1970; default `Date.now`. */
  clock?: () => number;
}

export interface LocalAccount extends ServiceAccount {
  /** `host:port` for `GCE_METADATA_HOST`. */
  metadataHost: string;
}

/** @throws {jose.errors.JOSEError} from `verifyIdToken`, for a token that is not good */
export interface Metadata {
  /** Issuer of the ID tokens: an origin with OpenID discovery and JWKS. */
  issuer: string;
  account(name: string): LocalAccount;
  /** Undefined for an address that is no account of ours. */
  accountByEmail(email: string): LocalAccount | undefined;
  /** A token as Google signs it for the account, good for an hour. */
  mintIdToken(request: { serviceAccountEmail: string; audience: string }): Promise<string>;
  /** The account that an access token was given to; undefined for one that is not good. */
  accountOfAccessToken(token: string): LocalAccount | undefined;
  /** @returns the address of the account that the token was signed for */
  verifyIdToken(token: string, audience: string): Promise<{ email: string }>;
  close(): Promise<void>;
}

/** Nobody looks it up; Google's have this form. */
const PROJECT_NUMBER = "100000000000";

export const startMetadata = async (options: MetadataOptions): Promise<Metadata> => {
  const clock = options.clock ?? Date.now;
  const folder = join(options.dataDir, "metadata");
  const issuerKey = await loadIssuerKey(folder);
  // Before anything listens: a file that cannot be read would leave servers behind.
  const loaded: ServiceAccount[] = [];
  for (const name of options.accounts)
    loaded.push(await loadAccount(folder, name, options.projectId));
  const issuer = await startIssuer(issuerKey, clock);
  const servers: Server[] = [];

  const accounts = new Map<string, LocalAccount>();
  const accessTokens = new Map<string, { account: string; expiresAtMs: number }>();
  const issueAccessToken = (account: string): string => {
    const now = clock();
    for (const [token, { expiresAtMs }] of accessTokens) {
      if (expiresAtMs <= now) accessTokens.delete(token);
    }
    const token = `local.${account}.${randomBytes(24).toString("base64url")}`;
    accessTokens.set(token, { account, expiresAtMs: now + TOKEN_LIFETIME_SEC * 1000 });
    return token;
  };
  for (const account of loaded) {
    const server = createServer((request, response) => {
      void answerMetadata(request, response, account).catch((error: unknown) => {
        console.error("metadata server:", error);
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    });
    servers.push(server);
    const metadataHost = (await listen(server)).slice("http://".length);
    accounts.set(account.name, { ...account, metadataHost });
  }

  const answerMetadata = async (
    request: IncomingMessage,
    response: ServerResponse,
    account: ServiceAccount,
  ): Promise<void> => {
    response.setHeader("Metadata-Flavor", "Google");
    const query = new URLSearchParams(request.url?.slice(pathOf(request).length));
    const text = (body: string): void => {
      response.writeHead(200, { "Content-Type": "application/text" }).end(body);
    };
    // A page in a browser can be made to ask, but cannot set this header across origins; a
    // proxied request carries X-Forwarded-For. Google's server refuses both. A page whose own name
    // leads here can set it.
    if (
      !isOwnHost(request.headers.host ?? "") ||
      request.headers["metadata-flavor"] !== "Google" ||
      request.headers["x-forwarded-for"] !== undefined
    ) {
      response.writeHead(403).end("Missing Metadata-Flavor:Google header.\n");
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { Allow: "GET, HEAD" }).end();
      return;
    }
    const path = pathOf(request).replace(/\/+$/, "");
    const inAccount =
      /^\/computeMetadata\/v1\/instance\/service-accounts(?:\/([^/]+)(?:\/(.+))?)?$/.exec(path);
    if (inAccount) {
      const [, who, what] = inAccount;
      if (who === undefined) return text(`default/\n${account.email}/\n`);
      if (who !== "default" && decodeURIComponent(who) !== account.email) {
        response.writeHead(404).end("no such service account\n");
        return;
      }
      const recursive = { aliases: ["default"], email: account.email, scopes: SCOPES };
      if (what === undefined) {
        if (query.get("recursive") === "true") return answerJson(response, recursive);
        return text("aliases\nemail\nidentity\nscopes\ntoken\n");
      }
      if (what === "email") return text(account.email);
      if (what === "aliases") return text("default\n");
      if (what === "scopes") return text(`${SCOPES.join("\n")}\n`);
      if (what === "token") {
        return answerJson(response, {
          access_token: issueAccessToken(account.name),
          expires_in: TOKEN_LIFETIME_SEC,
          token_type: "Bearer",
        });
      }
      if (what === "identity") {
        const audience = query.get("audience");
        if (!audience) {
          response.writeHead(400).end("non-empty audience parameter required\n");
          return;
        }
        return text(await issuer.sign(account, audience));
      }
    }
    if (path === "/computeMetadata/v1/project/project-id") return text(options.projectId);
    if (path === "/computeMetadata/v1/project/numeric-project-id") return text(PROJECT_NUMBER);
    if (path === "/computeMetadata/v1/universe/universe-domain") return text("googleapis.com");
    if (path === "/computeMetadata/v1/instance/region") {
      return text(`projects/${PROJECT_NUMBER}/regions/local`);
    }
    if (path === "/computeMetadata/v1/instance/id") return text("1");
    if (path === "" || path === "/computeMetadata/v1" || path === "/computeMetadata/v1/instance") {
      return text("service-accounts/\n");
    }
    response.writeHead(404).end("not found\n");
  };

  const byEmail = new Map([...accounts.values()].map((account) => [account.email, account]));
  return {
    issuer: issuer.origin,
    account(name) {
      const found = accounts.get(name);
      if (!found) throw new Error(`There is no service account "${name}".`);
      return found;
    },
    accountByEmail: (email) => byEmail.get(email),
    accountOfAccessToken(token) {
      const found = accessTokens.get(token);
      return found && found.expiresAtMs > clock() ? accounts.get(found.account) : undefined;
    },
    mintIdToken({ serviceAccountEmail, audience }) {
      const account = byEmail.get(serviceAccountEmail);
      if (!account) throw new Error(`There is no service account ${serviceAccountEmail}.`);
      return issuer.sign(account, audience);
    },
    verifyIdToken: (token, audience) => issuer.verify(token, audience),
    close: async () => {
      await Promise.all([issuer.close(), ...servers.map(stop)]);
    },
  };
};

const SCOPES = ["https://www.googleapis.com/auth/cloud-platform"];

// The metadata server of Google Cloud: who this instance is. Asked over plain HTTP on a link-local
// address that nobody else can answer on; `GCE_METADATA_HOST` names another, as for Google's clients.
import { z } from "zod";

const DEFAULT_HOST = "169.254.169.254";
const ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default";
const TIMEOUT_MS = 10_000;

const ask = async (path: string, host: string = DEFAULT_HOST): Promise<Response> => {
  const response = await fetch(`http://${host}${ACCOUNT}${path}`, {
    headers: { "Metadata-Flavor": "Google" },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`The metadata server answered ${response.status}.`);
  return response;
};

/** An ID token of the instance's service account, with its e-mail. */
export const fetchIdToken = async (audience: string, host?: string): Promise<string> => {
  const query = new URLSearchParams({ audience, format: "full" });
  return (await ask(`/identity?${query.toString()}`, host)).text();
};

const AccessToken = z.object({ access_token: z.string(), expires_in: z.number() });

/** An access token for Google's APIs, asked for anew a minute before it expires. */
export const createAccessToken = (host?: string): (() => Promise<string>) => {
  let current: { token: string; renewAtMs: number } | undefined;
  return async () => {
    if (current && Date.now() < current.renewAtMs) return current.token;
    const answer = AccessToken.parse(await (await ask("/token", host)).json());
    const { access_token: token, expires_in: expiresInSec } = answer;
    current = { token, renewAtMs: Date.now() + (expiresInSec - 60) * 1000 };
    return token;
  };
};

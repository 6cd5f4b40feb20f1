// What one needs next: where it answers, a key, and a first request.
import { CATALOG } from "#functions/catalog.ts";
import { SERVICE_ISSUER, SERVICE_SUBJECT } from "#shared/contract/identity.ts";
import { listAt, textAt } from "./json.ts";
import { serviceId } from "./resources/services.ts";
import { serviceUrl } from "./service.ts";
import type { Session } from "./session.ts";

/** Where a function answers; where a tag of it is, at the tag's own address. */
export const addressOf = async (
  functionName: string,
  { plan, world, settings, projectNumber }: Session,
  tag?: string,
): Promise<string> => {
  const service = plan.resources.find(({ id }) => id === serviceId(functionName));
  const current = service && (await world.current(service));
  const tagged = listAt(current, "status", "traffic").find(
    (target) => tag !== undefined && textAt(target, "tag") === tag,
  );
  if (tagged !== undefined) return textAt(tagged, "url");
  return textAt(current, "status", "url") || serviceUrl(functionName, settings, projectNumber);
};

/** The pipeline's own identity, as which keys are made. */
export const PIPELINE = JSON.stringify({ issuer: SERVICE_ISSUER, subject: SERVICE_SUBJECT });

export const firstSteps = async (session: Session): Promise<string> => {
  const lines: string[] = ["", "It answers at"];
  for (const spec of CATALOG) {
    if (!spec.public || spec.trigger.kind !== "http") continue;
    const paths = spec.trigger.routes
      .filter(({ path }) => path.startsWith("/v1/"))
      .map(({ method, path }) => `${method} ${path}`);
    lines.push(`  ${await addressOf(spec.name, session)}`);
    lines.push(...paths.map((path) => `    ${path}`));
  }
  const { publicUrl, submitUrl } = session.settings;
  const submit = submitUrl ?? publicUrl ?? (await addressOf("submit", session));
  return [
    ...lines,
    "",
    "An API key for yourself, shown once (CONVEX_DEPLOY_KEY in the environment):",
    `  npx convex run apiKeys:issue '{"ownerId": "me", "name": "first"}' --identity '${PIPELINE}'`,
    "",
    "A first video:",
    `  curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\`,
    `    -d '{"url": "https://www.twitch.tv/videos/123456789"}' \\`,
    `    ${submit}/v1/analysis`,
    "",
    "deploy/smoke.sh runs a sample through all of it.",
    "",
  ].join("\n");
};

// Why migration 001 could not be run at all, in words that say what to do about it.
import { StageError } from "../contract/errors.ts";

export const MIGRATION_FAILURES = ["connection", "permission", "schema", "refused"] as const;
export type MigrationFailureReason = (typeof MIGRATION_FAILURES)[number];

export class MigrationFailure extends Error {
  override readonly name = "MigrationFailure";
  readonly reason: MigrationFailureReason;
  constructor(reason: MigrationFailureReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

const MAX_QUOTED_CHARS = 300;

/** What an error and its causes say, on one line, without the markup of an error page. */
const saidBy = (error: unknown): string => {
  const said: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    said.push((at.message || (code ?? "")).replaceAll(/<[^>]*>|\s+/g, " ").trim());
  }
  const text = said
    .filter(Boolean)
    .map((one) => one.replace(/\.$/, ""))
    .join(": ");
  return text.replaceAll(/ {2,}/g, " ").slice(0, MAX_QUOTED_CHARS);
};

/** A call that failed, as what it means for whoever runs the migration; other errors stay as they are. */
export const migrationFailureOf = (error: unknown, url: string): unknown => {
  if (!(error instanceof StageError)) return error;
  const options = { cause: error };
  if (error.code === "unauthorized" || error.code === "forbidden") {
    const message = `${url} does not let this caller migrate: ${error.message} CONVEX_API_KEY must be the private key whose public half is the deployment's CONVEX_SERVICE_JWKS; an admin's token does as well.`;
    return new MigrationFailure("permission", message, options);
  }
  if (error.code !== "ledger_unavailable") {
    return new MigrationFailure("refused", error.message, options);
  }
  const { cause } = error;
  const said = saidBy(cause);
  if (cause instanceof StageError) {
    const message = `There is no identity to call ${url} with: ${said}. Set CONVEX_API_KEY to the pipeline's private key.`;
    return new MigrationFailure("permission", message, options);
  }
  if (/Could not find public function|ArgumentValidationError|ReturnsValidationError/.test(said)) {
    const message = `The schema of this version is not deployed at ${url}: deploy it first (npx convex deploy). It said: ${said}`;
    return new MigrationFailure("schema", message, options);
  }
  if (/Unauthenticated|auth provider|AuthError/i.test(said)) {
    const message = `${url} does not accept the token: ${said}. CONVEX_API_KEY must be the private key whose public half is the deployment's CONVEX_SERVICE_JWKS, and CONVEX_AUDIENCE its audience.`;
    return new MigrationFailure("permission", message, options);
  }
  const message = `${url} cannot be reached, or is no Convex deployment: ${said}`;
  return new MigrationFailure("connection", message, options);
};

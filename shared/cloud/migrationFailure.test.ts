import { describe, expect, it } from "vitest";
import { StageError } from "../contract/errors.ts";
import { MigrationFailure, migrationFailureOf } from "./migrationFailure.ts";

const away = (cause: Error) => new StageError("ledger_unavailable", undefined, { cause });
const offline = new TypeError("fetch failed", {
  cause: Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:9"), { code: "ECONNREFUSED" }),
});

describe("a call that failed", () => {
  it.each([
    ["forbidden", new StageError("forbidden", "Only an admin may do this."), "permission", "admin"],
    ["nobody", new StageError("unauthorized"), "permission", "CONVEX_API_KEY"],
    ["offline", away(offline), "connection", "fetch failed: connect ECONNREFUSED 127.0.0.1:9"],
    ["another server", away(new Error("<html><h1>Not here</h1></html>")), "connection", "Not here"],
    [
      "not deployed",
      away(new Error("Could not find public function for 'migrations:start'.")),
      "schema",
      "deploy it first",
    ],
    [
      "another deployment's key",
      away(new Error('{"code":"Unauthenticated","message":"signature verification failed"}')),
      "permission",
      "does not accept the token",
    ],
    [
      "no key",
      away(new StageError("ledger_unavailable", "The service has no identity.")),
      "permission",
      "Set CONVEX_API_KEY",
    ],
    ["refused", new StageError("invalid_request", "A batch has 1 to 200 rows."), "refused", "200"],
  ])("%s", (_name, error, reason, said) => {
    const failure = migrationFailureOf(error, "https://x.example") as MigrationFailure;
    expect(failure).toBeInstanceOf(MigrationFailure);
    expect(failure).toMatchObject({ reason, cause: error });
    expect(failure.message).toContain(said);
  });
  it("that was no call stays what it is", () => {
    const error = new Error("a bug");
    expect(migrationFailureOf(error, "https://x.example")).toBe(error);
  });
});

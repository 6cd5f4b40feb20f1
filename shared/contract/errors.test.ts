import { expect, it } from "vitest";
import { StageError, describeError, toErrorRecord } from "./errors.ts";

it("describes an error with its causes, the wordless ones by their code", () => {
  const refused = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" });
  const cause = new TypeError("fetch failed", { cause: refused });
  expect(describeError(new StageError("ledger_unavailable", undefined, { cause }))).toBe(
    [
      "StageError: The database cannot be reached.",
      "TypeError: fetch failed",
      "AggregateError: ECONNREFUSED",
    ].join("\n"),
  );
  expect(describeError("x".repeat(5000))).toHaveLength(4000);
});

it("takes a full disk for what it is", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  expect(toErrorRecord(full).code).toBe("resources_exhausted");
  expect(toErrorRecord(new Error("what nobody expected")).code).toBe("internal");
});

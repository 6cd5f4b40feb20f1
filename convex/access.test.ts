// Who the pipeline is, and who a person is: by the identity's issuer, subject and claims. What each
// function lets them do is in permissions.test.ts.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "./_generated/api.js";
import { outcomeOf } from "./registered.setup.ts";
import {
  type Backend,
  USERS_ISSUER,
  createBackend,
  ownerIdOf,
  standInEnvironment,
} from "./testing.setup.ts";

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});

describe("the pipeline's identity", () => {
  const google = (subject: string) => ({
    issuer: "https://accounts.google.com",
    subject,
    tokenIdentifier: `https://accounts.google.com|${subject}`,
  });
  it("is a pinned account of Google's, and no other", async () => {
    vi.stubEnv("SERVICE_TOKEN_IDENTIFIERS", "https://accounts.google.com|1, https://x.example|2");
    const sweep = (subject: string) =>
      outcomeOf(backend.nobody.withIdentity(google(subject)).mutation(api.ledger.sweep, {}));
    expect(await sweep("1")).toBe("ok");
    expect(await sweep("3")).toBe("unauthorized");
  });
  it("is not taken from a person's issuer that has the pipeline's subject", async () => {
    expect(await outcomeOf(backend.user("pipeline").mutation(api.ledger.sweep, {}))).toBe(
      "forbidden",
    );
  });
});

describe("a person's role", () => {
  const createCourse = (claims: Record<string, unknown>) =>
    outcomeOf(
      backend
        .user("ada")
        .withIdentity({
          issuer: USERS_ISSUER,
          subject: "ada",
          tokenIdentifier: ownerIdOf("ada"),
          ...claims,
        })
        .mutation(api.courses.createCourse, { name: "Rust" }),
    );
  it.each([
    [{}, "forbidden"],
    [{ roles: [] }, "forbidden"],
    [{ roles: ["learner"] }, "forbidden"],
    [{ roles: ["reader", "instructor"] }, "ok"],
    [{ roles: "reader admin" }, "ok"],
    [{ roles: "administrator" }, "forbidden"],
    [{ roles: { admin: true } }, "forbidden"],
    [{ role: "admin" }, "forbidden"],
  ])("%j may make courses: %s", async (claims, outcome) => {
    expect(await createCourse(claims)).toBe(outcome);
  });
  it("is told by the claim and the names that the operator set", async () => {
    vi.stubEnv("ROLE_CLAIM", "https://app.example/groups");
    vi.stubEnv("INSTRUCTOR_ROLES", "teachers, staff");
    expect(await createCourse({ "https://app.example/groups": ["staff"] })).toBe("ok");
    expect(await createCourse({ roles: ["instructor"] })).toBe("forbidden");
  });
});

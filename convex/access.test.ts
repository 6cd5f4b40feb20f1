// Every function has a wrapper, and every wrapper keeps out whom it should.
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type FunctionReference, makeFunctionReference } from "convex/server";
import { api } from "./_generated/api.js";
import { accessOf } from "./functions.ts";
import {
  type Backend,
  createBackend,
  createJob,
  modules,
  standInEnvironment,
} from "./testing.setup.ts";

interface Registered {
  isQuery?: true;
  isMutation?: true;
  isAction?: true;
  isHttp?: true;
  isInternal?: true;
}

/** Every function Convex would register, by the name it is called by. */
const registered = new Map<string, Registered & object>();
for (const [path, load] of Object.entries(modules)) {
  if (path.includes("_generated")) continue;
  for (const [name, value] of Object.entries(await load())) {
    if (typeof value !== "function") continue;
    const fn = value as Registered & object;
    if (!fn.isQuery && !fn.isMutation && !fn.isAction && !fn.isHttp) continue;
    registered.set(`${path.replace("/convex/", "").replace(".ts", "")}:${name}`, fn);
  }
}

let backend: Backend;
beforeEach(() => {
  const restore = standInEnvironment();
  backend = createBackend();
  return restore;
});

/** Some value that the validator takes, so that a call comes as far as the handler. */
const sample = (validator: Json): unknown => {
  switch (validator.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(validator.value as Record<string, { fieldType: Json; optional: boolean }>)
          .filter(([, field]) => !field.optional)
          .map(([name, field]) => [name, sample(field.fieldType)]),
      );
    case "union":
      return sample((validator.value as Json[])[0]!);
    case "literal":
      return validator.value;
    case "array":
      return [];
    case "record":
      return {};
    case "number":
      return 1;
    case "boolean":
      return true;
    case "id":
      return ids[validator.tableName ?? ""];
    default:
      return "x";
  }
};
interface Json {
  type: string;
  value?: unknown;
  tableName?: string;
}
let ids: Record<string, string> = {};

const call = (who: Backend["nobody" | "service"], name: string, fn: Registered & object) => {
  const args = JSON.parse((fn as unknown as { exportArgs(): string }).exportArgs()) as Json;
  const given = sample(args) as Record<string, unknown>;
  type Ref<T extends "query" | "mutation" | "action"> = FunctionReference<T>;
  if (fn.isQuery) return who.query(makeFunctionReference<"query">(name) as Ref<"query">, given);
  if (fn.isMutation) {
    return who.mutation(makeFunctionReference<"mutation">(name) as Ref<"mutation">, given);
  }
  return who.action(makeFunctionReference<"action">(name) as Ref<"action">, given);
};

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
    return "ok";
  } catch (error) {
    return (error as { data?: { code?: string } }).data?.code ?? String(error);
  }
};

describe("every function", () => {
  it("is found: the documents' names among them", () => {
    const documented = [
      ...["getByTwitchIdPublic", "updateStatus", "updateStatusByTwitchId", "updateUrls"].map(
        (name) => `video:${name}`,
      ),
      ...["updateJobProgress", "updateJobError", "completeJob", "getJobById"].map(
        (name) => `videos:${name}`,
      ),
    ];
    expect([...registered.keys()]).toEqual(expect.arrayContaining(documented));
  });

  it.each([...registered])("%s has a wrapper that fits", (_name, fn) => {
    const access = accessOf(fn);
    expect(access).toBeDefined();
    expect(access === "backend").toBe(fn.isInternal === true);
  });

  it("is refused to nobody, but for the public ones", async () => {
    const { job } = await createJob(backend);
    ids = { videos: job.videoId, apiKeys: await someKey() };
    for (const [name, fn] of registered) {
      const access = accessOf(fn);
      if (access === "backend") continue;
      const expected = access === "public" ? "ok" : "unauthorized";
      expect([name, await codeOf(call(backend.nobody, name, fn))]).toEqual([name, expected]);
      expect([name, await codeOf(call(backend.stranger, name, fn))]).toEqual([name, expected]);
    }
  });

  it("of the pipeline is refused to people, and people's to the pipeline", async () => {
    const { job } = await createJob(backend);
    ids = { videos: job.videoId, apiKeys: await someKey() };
    for (const [name, fn] of registered) {
      const access = accessOf(fn);
      if (access !== "service" && access !== "user") continue;
      const wrong = access === "service" ? backend.user("ada") : backend.service;
      expect([name, await codeOf(call(wrong, name, fn))]).toEqual([name, "forbidden"]);
    }
  });
});

const someKey = async (): Promise<string> =>
  (await backend.user("ada").action(api.apiKeys.create, { name: "a" })).id;

describe("the pipeline's identity", () => {
  const google = (subject: string) => ({
    issuer: "https://accounts.google.com",
    subject,
    tokenIdentifier: `https://accounts.google.com|${subject}`,
  });
  it("is a pinned account of Google's, and no other", async () => {
    vi.stubEnv("SERVICE_TOKEN_IDENTIFIERS", "https://accounts.google.com|1, https://x.example|2");
    const sweep = (subject: string) =>
      codeOf(backend.nobody.withIdentity(google(subject)).mutation(api.ledger.sweep, {}));
    expect(await sweep("1")).toBe("ok");
    expect(await sweep("3")).toBe("unauthorized");
  });
  it("is not taken from a person's issuer that has the pipeline's subject", async () => {
    expect(await codeOf(backend.user("pipeline").mutation(api.ledger.sweep, {}))).toBe("forbidden");
  });
});

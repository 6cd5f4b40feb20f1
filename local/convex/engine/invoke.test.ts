// What a function is given and gives back, and what is refused of both.
import { actionGeneric, mutationGeneric, queryGeneric } from "convex/server";
import { ConvexError, v } from "convex/values";
import { describe, expect, it } from "vitest";
import { openEngine } from "./testing/openEngine.ts";

const functions = {
  echo: mutationGeneric({
    args: { value: v.any(), role: v.optional(v.literal("none")) },
    returns: v.any(),
    handler: (_, { value, role }) => role ?? value,
  }),
  lies: mutationGeneric({ args: {}, returns: v.string(), handler: () => 5 as unknown as string }),
  silent: mutationGeneric({ args: {}, handler: () => undefined }),
  long: mutationGeneric({ args: {}, handler: () => Array<number>(9_154).fill(0) }),
  fails: mutationGeneric({
    args: {},
    handler: () => {
      throw new ConvexError({ code: "no", big: 5n });
    },
  }),
  look: queryGeneric({ args: {}, handler: () => "seen" }),
  act: actionGeneric({ args: {}, handler: () => "done" }),
};
const { engine, call } = openEngine({ functions });
const raw = (args: string) =>
  engine.mutate({
    target: { component: "", path: "m:echo" },
    args: JSON.parse(args) as never,
    identity: null,
  });

describe("a call", () => {
  it("brings every value there and back", async () => {
    const value = [null, 1n, NaN, -0, "\0é😀", { a: [true] }, new Uint8Array([1, 2]).buffer];
    expect(await call("echo", { value })).toEqual(value);
    expect(await call("silent")).toBeNull();
  });

  it.each([
    ['{"value":1,"other":2}', "Unexpected field `other`"],
    ["{}", "Missing required field `value`"],
    ['{"value":1,"role":"admin"}', 'Expected literal "none" at .role'],
    ['{"value":1,"__proto__":{"role":"admin"}}', "Field name __proto__ is not allowed"],
    ['{"value":{"a":[{"__proto__":null}]}}', "Field name __proto__ is not allowed"],
    ['{"value":{"$odd":1,"x":2}}', "starts with a '$'"],
    ["[]", "Expected object"],
    ["null", "Expected object"],
  ])("is refused with arguments that are wrong: %s", async (args, message) => {
    await expect(raw(args)).rejects.toThrow(`ArgumentValidationError: m:echo: `);
    await expect(raw(args)).rejects.toThrow(message);
  });

  it("may have the name of a prototype as text", async () => {
    expect(await call("echo", { value: ['"__proto__":', "__proto__"] })).toEqual([
      '"__proto__":',
      "__proto__",
    ]);
  });

  it("is refused with more than a call may bring", async () => {
    await expect(call("echo", { value: Array<null>(8193).fill(null) })).rejects.toThrow(
      "ArgumentValidationError: m:echo: Array length is too long (8193 > maximum length 8192)",
    );
  });

  it("fails when what comes back is not what the function says, or too much", async () => {
    await expect(call("lies")).rejects.toThrow(
      "ReturnsValidationError: m:lies: Validator error: Expected string, got 5.",
    );
    await expect(call("long")).rejects.toThrow(
      "Function m:long return value invalid: Array length is too long (9154 > maximum length 8192)",
    );
  });

  it("hands on the data of a ConvexError", async () => {
    await expect(call("fails")).rejects.toMatchObject({ data: { code: "no", big: 5n } });
  });

  it("says what there is not, and what is of another kind", async () => {
    await expect(call("nothing")).rejects.toThrow("Could not find public function for 'm:nothing'");
    await expect(call("constructor")).rejects.toThrow("Could not find public function");
    await expect(call("look")).rejects.toThrow("m:look is a query, not a mutation.");
    await expect(call("act")).rejects.toThrow("m:act is an action, not a mutation.");
  });
});

// A variable that the sources read and that is named nowhere here would never reach Google Cloud.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { SECRET_VARIABLES } from "./settings.ts";
import {
  CONVEX_AUTH_VARIABLES,
  CONVEX_VARIABLES,
  FUNCTION_VARIABLES,
  OWN_CONVEX_VARIABLES,
  OWN_FUNCTION_VARIABLES,
} from "./variables.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const namesIn = (text: string, pattern: RegExp): string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, name]) => name ?? "")),
];

it("the functions' variables are those of shared/cloud/config.ts", () => {
  const names = namesIn(read("shared/cloud/config.ts"), /^ {2}([A-Z][A-Z0-9_]+): blank\(/gm);
  const known = [...FUNCTION_VARIABLES, ...OWN_FUNCTION_VARIABLES, ...SECRET_VARIABLES];
  expect(names.toSorted()).toEqual(known.toSorted());
});

it("the database's variables are those of convex/model/env.ts and auth.config.ts", () => {
  const auth = namesIn(read("convex/auth.config.ts"), /process\.env\["(\w+)"\]/g);
  const env = namesIn(
    read("convex/model/env.ts"),
    /(?:\b(?:read|list|address|count)\(\s*"|^ {2})([A-Z][A-Z_]+)(?=[":])/gm,
  );
  const known = [...CONVEX_AUTH_VARIABLES, ...CONVEX_VARIABLES, ...OWN_CONVEX_VARIABLES];
  expect([...new Set([...auth, ...env])].toSorted()).toEqual(known.toSorted());
});

it("what auth.config.ts reads is always set", () => {
  const auth = namesIn(read("convex/auth.config.ts"), /process\.env\["(\w+)"\]/g);
  const always: string[] = [...CONVEX_AUTH_VARIABLES, ...OWN_CONVEX_VARIABLES];
  expect(auth.filter((name) => !always.includes(name))).toEqual([]);
});

// The database: first what its functions read of their environment, then the functions. Who the
// pipeline is, is pinned by the numbers of its service accounts: names can be had again, these not.
import { parseEnv } from "node:util";
import type { FunctionSpec } from "#functions/catalog.ts";
import { writeEnvFile } from "../envFile.ts";
import { type Json, textAt } from "../json.ts";
import { type Command, type Known, type Resource, resource } from "../resource.ts";
import type { Settings } from "../settings.ts";
import { hashOf } from "../sources.ts";
import { CONVEX_AUTH_VARIABLES } from "../variables.ts";
import { type Account, accountId } from "./project.ts";

const GOOGLE = "https://accounts.google.com";
/** Says which sources are deployed. */
const DEPLOYED = "KLIPSTREAM_DEPLOYED";
const NOT_YET = "(number of the account, once it is made)";

const convex = (...args: readonly string[]): Command => ({ tool: "convex", args });

const LIST = convex("env", "list", "--include-values");

const parse = (answer: Json): Record<string, string | undefined> =>
  typeof answer === "string" ? parseEnv(answer) : {};

const set = (values: Readonly<Record<string, string>>): Command => ({
  ...convex("env", "set", "--force"),
  secretInput: {
    text: writeEnvFile(values),
    shown: Object.keys(values).join(", "),
  },
});

const callers = (catalog: readonly FunctionSpec[]): Account[] => [
  ...new Set(catalog.map(({ account }) => account)),
];

const wantedVariables = (
  catalog: readonly FunctionSpec[],
  settings: Settings,
  known: Known,
): Record<string, string> => ({
  ...settings.convexVariables,
  SERVICE_OIDC_ISSUER: GOOGLE,
  SERVICE_OIDC_AUDIENCE: settings.convexAudience,
  SERVICE_TOKEN_IDENTIFIERS: callers(catalog)
    .map((account) => `${GOOGLE}|${textAt(known.of(accountId(account)), "uniqueId") || NOT_YET}`)
    .join(","),
});

const variables = (catalog: readonly FunctionSpec[], settings: Settings): Resource => {
  const missing = (current: Json, known: Known) => {
    const there = parse(current);
    return Object.fromEntries(
      Object.entries(wantedVariables(catalog, settings, known)).filter(
        ([name, value]) => there[name] !== value,
      ),
    );
  };
  return resource({
    kind: "database",
    name: "variables",
    parts: ["convex"],
    uses: callers(catalog).map(accountId),
    read: LIST,
    find: (answer) => answer,
    differences: (current, known) => Object.keys(missing(current, known)),
    create: (known) => [set(wantedVariables(catalog, settings, known))],
    update: (current, known) => [set(missing(current, known))],
    stays: "the Convex deployment is yours, and holds the data",
  });
};

/** `auth.config.ts` is evaluated when it is deployed, so that its variables are part of the sources. */
const withAuthVariables = (sources: string, settings: Settings): string => {
  const read = CONVEX_AUTH_VARIABLES.map((name) => settings.convexVariables[name] ?? "");
  return `${sources}-${hashOf([...read, settings.convexAudience])}`;
};

const functions = (sources: string): Resource => {
  const deploy = () => [
    // Types and generated code are what `npm run check` is for.
    convex("deploy", "--yes", "--typecheck=disable", "--codegen=disable"),
    set({ [DEPLOYED]: sources }),
  ];
  return resource({
    kind: "database functions",
    name: "convex/",
    parts: ["convex"],
    read: LIST,
    find: (answer) => parse(answer)[DEPLOYED],
    differences: (current) => (current === sources ? [] : ["other sources"]),
    create: deploy,
    update: deploy,
    stays: "the Convex deployment is yours, and holds the data",
  });
};

/** @param sources hash of what is deployed */
export const database = (
  catalog: readonly FunctionSpec[],
  settings: Settings,
  sources: string,
): Resource[] => [variables(catalog, settings), functions(withAuthVariables(sources, settings))];

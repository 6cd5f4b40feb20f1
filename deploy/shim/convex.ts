// Convex's command line, as far as the scripts use it: variables in the form of `.env`, and deploys,
// which are refused while a variable that auth.config.ts reads is not set.
import { parseEnv } from "node:util";
import { Refused } from "./flags.ts";
import type { Request } from "./shim.ts";
import type { State } from "./state.ts";

const READ_BY_AUTH_CONFIG = [
  "CONVEX_SERVICE_JWKS",
  "OIDC_AUDIENCE",
  "OIDC_ISSUERS",
  "SERVICE_OIDC_AUDIENCE",
  "SERVICE_OIDC_ISSUER",
  "USERS_ISSUER",
  "USERS_JWKS",
];

/** As the real one lists them (formatEnvValueForDotfile.ts), as far as we have such values. */
const quoted = (value: string): string => {
  if (!value.includes("\n") && !value.includes("#")) return value;
  return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value}'`;
};

/** A function of the database, called by its name. */
const runFunction = (
  { convex }: State,
  name: string | undefined,
  given: string | undefined,
): string => {
  switch (name) {
    case "apiKeys:issue": {
      const id = `key${convex.keys.length + 1}`;
      convex.keys.push(id);
      return JSON.stringify({ id, key: `ks_${id}`, prefix: "ks_" });
    }
    case "apiKeys:withdraw": {
      const { id } = JSON.parse(given ?? "{}") as { id?: string };
      convex.keys = convex.keys.filter((one) => one !== id);
      return "null";
    }
    default:
      throw new Refused(`Could not find function for '${name}'.`);
  }
};

/** @throws {Refused} */
export const runConvex = (state: State, { args, input }: Request): string => {
  const { convex } = state;
  if (args[0] === "run") return runFunction(state, args[1], args[2]);
  switch (args.join(" ")) {
    case "env list --include-values":
      return Object.entries(convex.variables)
        .map(([name, value]) => `${name}=${quoted(value)}\n`)
        .join("");
    case "env set --force":
      for (const [name, value] of Object.entries(parseEnv(input))) {
        convex.variables[name] = value ?? "";
      }
      return "";
    case "deploy --yes --typecheck=disable --codegen=disable": {
      const missing = READ_BY_AUTH_CONFIG.filter((name) => convex.variables[name] === undefined);
      if (missing.length > 0) throw new Refused(`auth.config.ts: ${missing.join(", ")} not set`);
      convex.deployed += 1;
      return "";
    }
    default:
      throw new Refused(`unknown command: convex ${args.join(" ")}`);
  }
};

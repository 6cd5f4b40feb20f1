// `npm run call`: calls a function of the backend as a person, through Convex's own client, as a page
// would. For trying things out, and for what has no page or command of its own.
import "../dotEnv.ts";
import { parseArgs } from "node:util";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { type FunctionReference, makeFunctionReference } from "convex/server";
import { ConvexError, type JSONValue, type Value, convexToJson, jsonToConvex } from "convex/values";
import { ROLES, type Role } from "#convex/model/access.ts";
import { SERVICE_AUDIENCE } from "#shared/contract/identity.ts";
import { LOCAL_PERSON, loadPeople } from "../people.ts";
import { findRunningCloud } from "../running.ts";
import { type CallableKind, findFunction, listFunctions } from "./backendFunctions.ts";
import { describeError } from "./describeError.ts";
import { UsageError } from "./options.ts";

const HELP = `Usage: npm run call -- <module:function> [arguments as JSON] [options]

Calls a function of the backend as a person; npm start must be running, or --url say where.

  --as NAME       who calls (default ${LOCAL_PERSON}, whose videos those of npm run analyze are)
  --role ROLE     learner, instructor or admin (default admin for ${LOCAL_PERSON}, else learner)
  --watch         a query: print each new answer until Ctrl-C
  --list          the functions there are, with their arguments; of one module: --list courses
  --token         only print a token of that person, for another client
  --url URL       a Convex deployment; whose token to use is read from CONVEX_TOKEN
  --data DIR      state of the local cloud (default .klipstream)
  --help

Exit status: 0 answered, 1 refused or not reached, 2 wrong use.

Examples:
  npm run -s call -- videos:listVideos '{"paginationOpts": {"numItems": 10, "cursor": null}}'
  npm run -s call -- courses:createCourse '{"name": "Rust in a week"}' --as ada --role instructor
  npm run -s call -- progress:getUserOverallProgress --as bob --watch
`;

interface Arguments {
  path: string;
  given: Record<string, Value>;
  watch: boolean;
}

interface Who {
  name: string;
  role: Role | undefined;
  url: string | undefined;
  data: string;
}

/** @throws {UsageError} */
const parseGiven = (text: string | undefined): Record<string, Value> => {
  if (text === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`The arguments are not JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new UsageError(`The arguments are an object, such as '{"courseId": "…"}'.`);
  return jsonToConvex(parsed as JSONValue) as Record<string, Value>;
};

const parseRole = (text: string | undefined): Role | undefined => {
  if (text === undefined) return undefined;
  const role = ROLES.find((known) => known === text);
  if (!role) throw new UsageError(`--role ${text}: one of ${ROLES.join(", ")}`);
  return role;
};

/** Where the backend is, and a token of who calls it. @throws {Error} where none runs */
const signIn = async ({ name, role, url, data }: Who): Promise<{ url: string; token: string }> => {
  if (url !== undefined) {
    const token = process.env["CONVEX_TOKEN"];
    if (!token) throw new UsageError("Set CONVEX_TOKEN to a person's token for --url.");
    return { url, token };
  }
  const running = await findRunningCloud(data);
  if (!running) throw new Error("Nothing runs here: start it with npm start, in another terminal.");
  const people = await loadPeople(data);
  const audience = process.env["OIDC_AUDIENCE"] || SERVICE_AUDIENCE;
  return { url: running.convexUrl, token: await people.token({ name, role, audience }) };
};

const print = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(convexToJson((value ?? null) as Value), null, 2)}\n`);
};

const callOnce = (
  { url, token }: { url: string; token: string },
  kind: CallableKind,
  { path, given }: Arguments,
): Promise<unknown> => {
  const client = new ConvexHttpClient(url, {
    logger: false,
    skipConvexDeploymentUrlCheck: true,
    auth: token,
  });
  const named = <K extends CallableKind>() =>
    makeFunctionReference<K>(path) as FunctionReference<K>;
  if (kind === "query") return client.query(named<"query">(), given);
  if (kind === "mutation") return client.mutation(named<"mutation">(), given);
  return client.action(named<"action">(), given);
};

/** Prints each answer until it is interrupted. */
const watch = async (
  { url, token }: { url: string; token: string },
  { path, given }: Arguments,
): Promise<void> => {
  const client = new ConvexClient(url, { skipConvexDeploymentUrlCheck: true, logger: false });
  client.setAuth(() => Promise.resolve(token));
  try {
    await new Promise<void>((resolve, reject) => {
      client.onUpdate(makeFunctionReference<"query">(path), given, print, reject);
      process.once("SIGINT", () => resolve());
      process.once("SIGTERM", () => resolve());
    });
  } finally {
    await client.close();
  }
};

/** What the backend refused, in words; `details` for what is in the way. */
const refusalOf = (error: unknown): string => {
  if (!(error instanceof ConvexError)) return describeError(error);
  const { code, message, details } = error.data as {
    code: string;
    message: string;
    details?: unknown;
  };
  const more = details === undefined ? "" : `\n${JSON.stringify(details, null, 2)}`;
  return `${message} (${code})${more}`;
};

const run = async (argv: string[]): Promise<void> => {
  const { values, positionals } = parse(argv);
  if (values.help) return void process.stdout.write(HELP);
  const who: Who = {
    name: values.as,
    role: parseRole(values.role),
    url: values.url,
    data: values.data,
  };
  const [path, text, ...more] = positionals;
  if (values.list) return void process.stdout.write(`${(await listFunctions(path)).join("\n")}\n`);
  if (values.token) return void process.stdout.write(`${(await signIn(who)).token}\n`);
  if (path === undefined || more.length > 0)
    throw new UsageError("Name one function, and its arguments in one piece.");
  const kind = await findFunction(path);
  if (!kind) throw new UsageError(`There is no function ${path}; --list names them.`);
  if (values.watch && kind !== "query")
    throw new UsageError(`${path} is a ${kind}; only a query can be watched.`);
  const call: Arguments = { path, given: parseGiven(text), watch: values.watch };
  const signedIn = await signIn(who);
  if (call.watch) await watch(signedIn, call);
  else print(await callOnce(signedIn, kind, call));
};

const parse = (argv: string[]) => {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        as: { type: "string", default: LOCAL_PERSON },
        role: { type: "string" },
        watch: { type: "boolean", default: false },
        list: { type: "boolean", default: false },
        token: { type: "boolean", default: false },
        url: { type: "string" },
        data: { type: "string", default: ".klipstream" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};

/** @param argv what follows the command's name */
export const main = async (argv: string[]): Promise<number> => {
  try {
    await run(argv);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${HELP.split("\n")[0]}\nMore with --help.\n`);
      return 2;
    }
    process.stderr.write(`${refusalOf(error)}\n`);
    return 1;
  }
};

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));

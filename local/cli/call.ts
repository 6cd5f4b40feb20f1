// `npm run call`: calls a function of the backend as a person, through Convex's own client, as a page
// would. For trying things out, and for what has no page or command of its own.
import "../dotEnv.ts";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { type FunctionReference, makeFunctionReference } from "convex/server";
import { ConvexError, type JSONValue, type Value, convexToJson, jsonToConvex } from "convex/values";
import { ROLES, type Role } from "#convex/model/access.ts";
import { LOCAL_PERSON } from "../people.ts";
import {
  type Callable,
  findFunction,
  listFunctions,
  withFirstPage,
  withSignature,
  wrongArguments,
} from "./backendFunctions.ts";
import type { FunctionKind } from "../convex/runtime.ts";
import { personToken, runningCloud } from "./cloud.ts";
import {
  COMMON_OPTIONS,
  EXIT,
  UsageError,
  interruption,
  parseCommandLine,
  runCommand,
} from "./command.ts";
import { describeError } from "./describeError.ts";

const HELP = `Usage: npm run call -- <module:function> [arguments as JSON] [options]

Calls a function of the backend as a person; npm start must be running, or --url say where.

  --as NAME       who calls (default ${LOCAL_PERSON}, whose videos those of npm run analyze are)
  --role ROLE     learner, instructor or admin (default admin for ${LOCAL_PERSON}, else learner)
  --watch         a query: print each new answer until Ctrl-C
  --list          the functions that people may call: who may, and with what arguments; of one
                  module: --list courses; with --all those of the pipeline too
  --token         only print a token of that person, for another client
  --url URL       a Convex deployment; whose token to use is read from CONVEX_TOKEN
  --data DIR      state of the local cloud (default .klipstream)
  --help

What comes in pages is asked for its first 20 unless paginationOpts say otherwise:
'{"paginationOpts": {"numItems": 50, "cursor": null}}', the next with continueCursor for cursor.

Exit status: 0 answered, 1 refused or not reached, 2 wrong use.

Examples:
  npm run -s call -- videos:listVideos
  npm run -s call -- courses:createCourse '{"name": "Rust in a week"}' --as ada --role instructor
  npm run -s call -- progress:getUserOverallProgress --as bob --watch
`;

interface Who {
  name: string;
  role: Role | undefined;
  url: string | undefined;
  data: string;
}

interface Call {
  path: string;
  given: Record<string, Value>;
}

type Arguments =
  | { kind: "list"; start: string; all: boolean }
  | { kind: "token"; who: Who }
  | { kind: "call" | "watch"; who: Who; call: Call };

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
  const { convexUrl } = await runningCloud(data);
  return { url: convexUrl, token: await personToken(data, { name, role }) };
};

const print = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(convexToJson((value ?? null) as Value), null, 2)}\n`);
};

const callOnce = (
  { url, token }: { url: string; token: string },
  kind: FunctionKind,
  { path, given }: Call,
): Promise<unknown> => {
  const client = new ConvexHttpClient(url, {
    logger: false,
    skipConvexDeploymentUrlCheck: true,
    auth: token,
  });
  const named = <K extends FunctionKind>() =>
    makeFunctionReference<K>(path) as FunctionReference<K>;
  if (kind === "query") return client.query(named<"query">(), given);
  if (kind === "mutation") return client.mutation(named<"mutation">(), given);
  return client.action(named<"action">(), given);
};

/** Prints each answer until it is interrupted. */
const watch = async (
  { url, token }: { url: string; token: string },
  { path, given }: Call,
): Promise<void> => {
  using interrupted = interruption();
  const client = new ConvexClient(url, { skipConvexDeploymentUrlCheck: true, logger: false });
  client.setAuth(() => Promise.resolve(token));
  try {
    await new Promise<void>((resolve, reject) => {
      client.onUpdate(makeFunctionReference<"query">(path), given, print, reject);
      interrupted.signal.addEventListener("abort", () => resolve());
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

/** What only the backend finds wrong with arguments: an id of another table. Null for other errors. */
const refusedArguments = (error: unknown, fn: Callable): UsageError | null => {
  if (!(error instanceof Error) || error instanceof ConvexError) return null;
  const [, problem] =
    /(?:Validator error|ArgumentValidationError): ([^\n]+)/.exec(error.message) ?? [];
  return problem === undefined
    ? null
    : new UsageError(withSignature(problem, fn), { cause: error });
};

/** @returns null where help was asked for. @throws {UsageError} */
const readArguments = (argv: string[]): Arguments | null => {
  const { values, positionals } = parseCommandLine({
    args: argv,
    allowPositionals: true,
    options: {
      as: { type: "string", default: LOCAL_PERSON },
      role: { type: "string" },
      watch: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      all: { type: "boolean", default: false },
      token: { type: "boolean", default: false },
      url: { type: "string" },
      ...COMMON_OPTIONS,
    },
  });
  if (values.help) return null;
  const { as: name, url, data } = values;
  const who: Who = { name, role: parseRole(values.role), url, data };
  const [path, text, ...more] = positionals;
  if (values.all && !values.list) throw new UsageError("--all goes with --list.");
  if (values.list) {
    if (text !== undefined) throw new UsageError("--list takes the name of one module.");
    return { kind: "list", start: path ?? "", all: values.all };
  }
  if (values.token) {
    if (path !== undefined) throw new UsageError("--token calls nothing.");
    return { kind: "token", who };
  }
  if (path === undefined || more.length > 0)
    throw new UsageError("Name one function, and its arguments in one piece.");
  return {
    kind: values.watch ? "watch" : "call",
    who,
    call: { path, given: parseGiven(text) },
  };
};

const run = async (args: Arguments): Promise<number> => {
  switch (args.kind) {
    case "list": {
      const lines = await listFunctions(args.start, args.all);
      if (lines.length === 0)
        throw new UsageError(
          `No function ${args.all ? "" : "that people may call "}begins with ${args.start}.`,
        );
      process.stdout.write(`${lines.join("\n")}\n`);
      return EXIT.done;
    }
    case "token":
      process.stdout.write(`${(await signIn(args.who)).token}\n`);
      return EXIT.done;
    case "call":
    case "watch": {
      const { path } = args.call;
      const fn = await findFunction(path);
      if (!fn) throw new UsageError(`There is no function ${path}; --list names them.`);
      const { kind } = fn;
      const call = { path, given: withFirstPage(fn, args.call.given) };
      const wrong = wrongArguments(fn, call.given);
      if (wrong !== null) throw new UsageError(wrong);
      if (args.kind === "watch" && kind !== "query")
        throw new UsageError(`${path} is a ${kind}; only a query can be watched.`);
      const signedIn = await signIn(args.who);
      try {
        if (args.kind === "watch") await watch(signedIn, call);
        else print(await callOnce(signedIn, kind, call));
      } catch (error) {
        throw refusedArguments(error, fn) ?? error;
      }
      return EXIT.done;
    }
  }
};

/** @param argv what follows the command's name */
export const main = (argv: string[]): Promise<number> =>
  runCommand({ help: HELP, read: () => readArguments(argv), run, describe: refusalOf });

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));

// The local Convex: the project's functions behind the protocols of the official clients.
// It changes `process.env` and a global: it wants a thread of its own (thread.ts), except in tests.
import { createServer } from "node:http";
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import type { GenericSchema, SchemaDefinition } from "convex/server";
import { WebSocketServer } from "ws";
import { listen, pathOf, stop } from "../httpServer.ts";
import type { MountedComponent } from "./components.ts";
import { CORS, createHttpApi } from "./httpApi.ts";
import { createVerifier } from "./identity.ts";
import type { ModuleMap } from "./modules.ts";
import { createEngineRuntime } from "./engineRuntime.ts";
import type { EngineOptions } from "./engine/engine.ts";
import { openDatabase } from "./engine/format.ts";
import { type ConvexRuntime, type RuntimeName, runtimeNamedIn } from "./runtime.ts";
import { serveSync } from "./sync.ts";

export interface ConvexOptions {
  /** From `./dir/file.ts` to its import, as `findModules` makes it. */
  modules: ModuleMap;
  schema?: SchemaDefinition<GenericSchema, boolean> | undefined;
  /** What `convex.config.ts` mounts, as `loadComponents` makes it. */
  components?: readonly MountedComponent[];
  /** Folder of the database; without one, it is in memory and forgotten. */
  dataDir?: string | undefined;
  /** What runs the functions; default what `CONVEX_RUNTIME` says, or the engine. */
  runtime?: RuntimeName | undefined;
  /** What functions and auth.config.ts read from `process.env`. */
  env?: Record<string, string>;
  /** Default: a free one. */
  port?: number;
  /** Opens internal functions to `Authorization: Convex <key>`. */
  adminKey?: string;
  /** Milliseconds since 1970; default `Date.now`. */
  clock?: () => number;
  pingAfterMs?: number;
  /** As the engine has it; the other runtime does without. */
  enterCall?: EngineOptions["enterCall"];
}

export interface LocalConvex {
  url: string;
  close(): Promise<void>;
}

/** As of a request: arguments may have 16 MiB. */
const MAX_MESSAGE_BYTES = 17 * 1024 ** 2;
/** A function that hangs does not keep the database open. */
const MAX_CLOSE_MS = 1_000;
const SYNC_PATH = /^\/api\/\d+\.\d+\.\d+[^/]*\/sync$/;

export const startConvex = async (options: ConvexOptions): Promise<LocalConvex> => {
  const clock = options.clock ?? Date.now;
  const runtimeName = options.runtime ?? runtimeNamedIn(process.env);
  Object.assign(process.env, options.env);
  const authModule = (await options.modules["./auth.config.ts"]?.()) as
    | { default?: unknown }
    | undefined;
  const verify = createVerifier(authModule?.default, clock);
  const functions = {
    modules: options.modules,
    ...(options.schema ? { schema: options.schema } : {}),
    ...(options.components ? { components: options.components } : {}),
    clock,
    enterCall: options.enterCall,
  };
  const { runtime, db } =
    runtimeName === "engine"
      ? onEngine(functions, options.dataDir)
      : // Loaded where it is asked for: nobody but tests has it.
        {
          runtime: (await import("./convexTestRuntime.ts")).createConvexTestRuntime(functions),
          db: undefined,
        };
  const api = createHttpApi({ runtime, verify, adminKey: options.adminKey });
  const server = createServer((request, response) => {
    void api(request, response).catch((error: unknown) => {
      // The client left in the middle of its request: no failure of ours.
      if (request.destroyed && !request.complete) return;
      console.error("convex:", error);
      if (!response.headersSent) response.writeHead(500, CORS);
      response.end(JSON.stringify({ code: "InternalServerError", message: "It is logged." }));
    });
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  server.on("upgrade", (request, socket, head) => {
    if (!SYNC_PATH.test(pathOf(request))) {
      // Nobody else listens any more; what cannot be told is not told.
      socket.on("error", () => socket.destroy());
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { pingAfterMs } = options;
      serveSync(webSocket, {
        runtime,
        verify,
        clock,
        ...(pingAfterMs === undefined ? {} : { pingAfterMs }),
      });
    });
  });
  const url = await listen(server, options.port);
  await runtime.start();
  return {
    url,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      await stop(server);
      runtime.close();
      await Promise.race([itsTurn(runtime), delay(MAX_CLOSE_MS, undefined, { ref: false })]);
      db?.close();
    },
  };
};

/** Resolves when what was begun before has been committed. */
const itsTurn = (runtime: ConvexRuntime): Promise<unknown> => runtime.runQueries(() => [], null);

const onEngine = (
  functions: Omit<EngineOptions, "db">,
  dataDir: string | undefined,
): { runtime: ConvexRuntime; db: DatabaseSync } => {
  const db = openDatabase(dataDir);
  try {
    return { runtime: createEngineRuntime({ db, ...functions }), db };
  } catch (error) {
    db.close();
    throw error;
  }
};

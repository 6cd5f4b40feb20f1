// What a test of the page needs: a Convex that can be ended at any moment and comes back with what it
// had, and the page, bundled as a project would, from a server of another origin.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConvexHttpClient } from "convex/browser";
import { build } from "esbuild";
import { startConvexThread } from "#local/convex/thread.ts";
import { listen, stop } from "#local/httpServer.ts";

const FOLDER = fileURLToPath(new URL("../../local/convex/testProject", import.meta.url));
const HTML = `<!doctype html><meta charset="utf-8"><title>Rows</title><div id="root"></div><script src="/page.js"></script>`;

export interface Rig extends AsyncDisposable {
  convexUrl: string;
  /** Ends Convex without a word, wherever it is, and starts it on what it left. */
  restart(): Promise<void>;
  http(): ConvexHttpClient;
  /** Of the page that follows `list`, of the Convex at `url`; `eager` reconnects at once. */
  pageUrl(list: string, url: string, eager?: boolean): string;
}

const bundlePage = async (): Promise<Uint8Array> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("page.ts", import.meta.url))],
    bundle: true,
    write: false,
    platform: "browser",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return outputFiles[0]!.contents;
};

export const startRig = async (): Promise<Rig> => {
  const dataDir = await mkdtemp(join(tmpdir(), "klipstream-rows-"));
  const start = (port: number) => startConvexThread({ folder: FOLDER, env: {}, dataDir, port });
  let [convex, bundle] = await Promise.all([start(0), bundlePage()]);
  const convexUrl = convex.url;
  const server = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? bundle : HTML);
  });
  const origin = await listen(server);
  return {
    convexUrl,
    async restart() {
      await convex.close();
      convex = await start(Number(new URL(convexUrl).port));
    },
    http: () => new ConvexHttpClient(convexUrl, { logger: false }),
    pageUrl: (list, url, eager = false) =>
      `${origin}/?${new URLSearchParams({ list, url, ...(eager ? { eager: "" } : {}) }).toString()}`,
    async [Symbol.asyncDispose]() {
      await convex.close();
      await stop(server);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

// Between Google's Pub/Sub emulator and the front: the emulator pushes without a token, this adds
// it. Its address holds a secret, since whoever reaches it calls private functions.
import { randomBytes } from "node:crypto";
import { createServer, request as httpRequest } from "node:http";
import { pipeline } from "node:stream";
import { listen, originOf, stop } from "../listen.ts";

export interface TokenProxy {
  /** Where the emulator pushes to, for one function. */
  endpointOf: (functionName: string) => string;
  close(): Promise<void>;
}

export const startTokenProxy = async (options: {
  urlOf(functionName: string): string;
  mintIdToken(audience: string): Promise<string>;
}): Promise<TokenProxy> => {
  const secret = randomBytes(16).toString("hex");
  const server = createServer((request, response) => {
    const [, given, name = ""] = (request.url ?? "").split(/[/?]/);
    if (given !== secret) {
      response.writeHead(404).end();
      return;
    }
    const url = options.urlOf(name);
    const forward = (token: string): void => {
      const { host: _, connection: __, ...headers } = request.headers;
      const upstream = httpRequest(
        url,
        { method: "POST", headers: { ...headers, authorization: `Bearer ${token}` } },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502);
          pipeline(answer, response, () => {});
        },
      );
      upstream.on("error", () => {
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      });
      response.on("close", () => upstream.destroy());
      pipeline(request, upstream, () => {}); // A failure shows on upstream or the response.
    };
    options.mintIdToken(url).then(forward, () => response.writeHead(500).end());
  });
  server.requestTimeout = 0;
  await listen(server, "127.0.0.1", 0);
  const origin = originOf(server, "127.0.0.1");
  return { endpointOf: (name) => `${origin}/${secret}/${name}`, close: () => stop(server) };
};

// A function for the front's tests: does what the path says.
import { spawn } from "node:child_process";
import { createServer } from "node:http";

process.on("disconnect", () => process.exit(1));
if (process.env["TEST_FAIL_AT_START"]) process.exit(3);

const server = createServer((request, response) => {
  const path = (request.url ?? "").split("?")[0];
  switch (path) {
    case "/never":
      // Tells that it was reached, and then never ends.
      process.send?.("reached");
      return;
    case "/events":
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("id: 1\n\n");
      request.on("data", (chunk: Buffer) => {
        response.write(`data: ${chunk.toString()}\n\n`);
      });
      request.on("end", () => response.end());
      return;
    case "/crash":
      process.exit(1);
    // eslint-disable-next-line no-fallthrough -- the line above does not return
    case "/half":
      response.writeHead(200, { "Content-Length": "1000" });
      response.write("half", () => process.exit(1));
      return;
    case "/child": {
      const child = spawn("sleep", ["1000"], { stdio: "ignore" });
      response.end(String(child.pid));
      return;
    }
    default: {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        response.writeHead(200, { "Content-Type": "application/json", "X-Test": "yes" });
        const { method, url, headers } = request;
        const { FUNCTION_TARGET: target, TEST_VALUE: value } = process.env;
        const body = Buffer.concat(chunks).toString();
        const { pid } = process;
        response.end(JSON.stringify({ pid, method, url, headers, body, target, value }));
      });
    }
  }
});
server.listen(Number(process.env["PORT"]));

process.on("SIGTERM", () => {
  if (!process.env["TEST_IGNORE_SIGTERM"]) process.exit(0);
});

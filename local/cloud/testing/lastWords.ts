// An instance for tests of the local cloud: logs the data of each message, and publishes one of its own when it
// is told to end.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { PushRequest } from "#shared/contract/messages.ts";
import { createPublisher } from "#shared/cloud/publisher.ts";

const publisher = createPublisher({ projectId: process.env["GOOGLE_CLOUD_PROJECT"] ?? "" });

createServer((request, response) => {
  void text(request).then((body) => {
    const { message } = PushRequest.parse(JSON.parse(body));
    console.log(Buffer.from(message.data, "base64").toString("utf8"));
    response.writeHead(204).end();
  });
}).listen(Number(process.env["PORT"]));

process.once("SIGTERM", () => {
  void publisher.publish("ingest", { said: "last words" }).finally(() => process.exit(0));
});

// From the end of a job to its receiver, verified with the specification's own library.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";
import { WebhookSecretResponse } from "#shared/contract/api.ts";
import { startCloud } from "#local/cloud.ts";

it("tells a callback that the job has ended, again until it is heard, signed", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "webhook-"));
  const received: { headers: Record<string, string>; body: string }[] = [];
  let heard: () => void = () => undefined;
  const twice = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const server = createServer((req, res) => {
    let body = "";
    req.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
    req.once("end", () => {
      received.push({ headers: req.headers as Record<string, string>, body });
      res.writeHead(received.length === 1 ? 503 : 204, { "retry-after": "1" }).end();
      if (received.length === 2) heard();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const cloud = await startCloud({
    dataDir,
    hosts: { "hooks.example": `127.0.0.1:${port}` },
    sweepEveryMs: 200,
  });
  try {
    const headers = { authorization: `Bearer ${cloud.apiKey}` };
    const request = {
      url: "https://www.twitch.tv/videos/1234567890",
      callback_url: "https://hooks.example/done",
    };
    const submitted = await fetch(`${cloud.origin}/v1/analysis`, {
      method: "POST",
      headers,
      body: JSON.stringify(request),
    });
    const { job_id: jobId } = (await submitted.json()) as { job_id: string };
    await fetch(`${cloud.origin}/v1/analysis/${jobId}/cancel`, { method: "POST", headers });
    await twice;

    const answer = await fetch(`${cloud.origin}/v1/webhook_secret`, { headers });
    const { secret } = WebhookSecretResponse.parse(await answer.json());
    const events = received.map(({ body, headers: sent }) =>
      new Webhook(secret).verify(body, sent),
    );
    expect(events[0]).toMatchObject({
      type: "job.canceled",
      data: { job_id: jobId, status: "Canceled" },
    });
    expect(events[1]).toEqual(events[0]);
    expect(received[1]?.headers["webhook-id"]).toBe(received[0]?.headers["webhook-id"]);
  } finally {
    await cloud.close();
    server.close();
    await rm(dataDir, { recursive: true });
  }
});

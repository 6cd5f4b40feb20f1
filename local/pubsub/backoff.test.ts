// How long refused messages and their subscription wait.
import { expect, it } from "vitest";
import { pushBackoffMs, redeliveryDelayMs } from "./backoff.ts";

const policy = { minimumMs: 1000, maximumMs: 10_000 };

it.each([
  ["without a policy a message is due at once", undefined, 7, 0],
  ["the first wait is the minimum", policy, 1, 1000],
  ["each wait doubles", policy, 3, 4000],
  ["no wait is above the maximum", policy, 5, 10_000],
  ["however often it failed", policy, 5000, 10_000],
])("redelivery: %s", (_, retry, failures, delayMs) => {
  expect(redeliveryDelayMs(retry, failures)).toBe(delayMs);
});

it.each([
  ["none while pushes succeed", undefined, 0, 0],
  ["none with a policy, where only the message waits", policy, 9, 0],
  ["a tenth of a second after one refusal", undefined, 1, 100],
  ["doubled with each", undefined, 4, 800],
  ["a minute at most", undefined, 40, 60_000],
])("pause of a subscription: %s", (_, retry, refusals, pauseMs) => {
  expect(pushBackoffMs(retry, refusals)).toBe(pauseMs);
});

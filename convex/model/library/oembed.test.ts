// What a service answers is a stranger's. `fetch` is stood in for; nothing goes out.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { describePage } from "./oembed.ts";

const ENDPOINT = "https://www.youtube.com/oembed?format=json&url=x";
let warned: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  vi.useFakeTimers();
  warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  warned.mockRestore();
});

const answering = (answer: () => Response | Promise<Response>) => {
  const asked = vi.fn<typeof fetch>(() => Promise.resolve(answer()));
  vi.stubGlobal("fetch", asked);
  return asked;
};
const json = (value: unknown, status = 200) => new Response(JSON.stringify(value), { status });

describe("describePage", () => {
  it("takes title, channel, picture and length", async () => {
    const asked = answering(() =>
      json({
        title: " A talk\n on leases ",
        author_name: "Ada",
        thumbnail_url: "https://i.example/1.jpg",
        duration: 62,
        html: "<iframe>",
      }),
    );
    expect(await describePage(ENDPOINT)).toEqual({
      title: "A talk  on leases",
      channelTitle: "Ada",
      thumbnailUrl: "https://i.example/1.jpg",
      durationInSeconds: 62,
    });
    expect(asked).toHaveBeenCalledExactlyOnceWith(
      ENDPOINT,
      expect.objectContaining({ redirect: "error" }),
    );
  });

  it.each([
    ["wrong types", { title: 7, author_name: {}, thumbnail_url: [], duration: "62" }, null],
    [
      "a script for a picture",
      { title: "A", thumbnail_url: "javascript:alert(1)" },
      { title: "A" },
    ],
    ["data for a picture", { title: "A", thumbnail_url: "data:image/png,x" }, { title: "A" }],
    ["a length that is none", { title: "A", duration: -1 }, { title: "A" }],
    ["a length of ages", { title: "A", duration: 1e300 }, { title: "A" }],
    ["a long title", { title: "é".repeat(9000) }, { title: "é".repeat(500) }],
    ["half a character", { title: `${"a".repeat(499)}😀` }, { title: "a".repeat(499) }],
    ["blanks", { title: " \u0000\n " }, null],
    ["a list", ["A"], null],
    ["null", null, null],
    ["a sentence", "A", null],
  ])("%s", async (_name, answer, expected) => {
    answering(() => json(answer));
    expect(await describePage(ENDPOINT)).toEqual(expected);
  });

  it.each([404, 401, 500, 302, 201])("the status %d", async (status) => {
    answering(() => json({ title: "A" }, status));
    expect(await describePage(ENDPOINT)).toBeNull();
  });
  it("no JSON", async () => {
    answering(() => new Response("<html>"));
    expect(await describePage(ENDPOINT)).toBeNull();
  });
  it("a service that is away", async () => {
    answering(() => Promise.reject(new TypeError("fetch failed")));
    expect(await describePage(ENDPOINT)).toBeNull();
    expect(warned).toHaveBeenCalled();
  });

  it("stops reading an answer without end", async () => {
    let sent = 0;
    const canceled = vi.fn<() => void>();
    answering(
      () =>
        new Response(
          new ReadableStream({
            pull: (controller) => {
              sent += 1;
              controller.enqueue(new Uint8Array(16 * 1024).fill(32));
            },
            cancel: canceled,
          }),
        ),
    );
    expect(await describePage(ENDPOINT)).toBeNull();
    expect(canceled).toHaveBeenCalled();
    expect(sent).toBeLessThan(16);
  });
  it.each([
    ["that does not begin", () => new Promise<Response>(() => undefined)],
    ["that does not end", () => new Response(new ReadableStream({ pull: () => undefined }))],
  ])("waits 8 seconds for an answer %s", async (_name, answer) => {
    answering(answer);
    const settled = vi.fn<() => void>();
    const description = describePage(ENDPOINT).then((found) => {
      settled();
      return found;
    });
    await vi.advanceTimersByTimeAsync(7_900);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    expect(await description).toBeNull();
  });
});

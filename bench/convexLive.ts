// Live queries by the wire: from a mutation over HTTP until a ConvexClient shows what it changed.
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { type Place, anyPlace, placeOf } from "./convexPlaces.ts";

export const edit = makeFunctionReference<"mutation", Place & { text: string }, null>("rows:edit");
export const seed = makeFunctionReference<
  "mutation",
  { from: number; to: number; text: string },
  null
>("rows:seed");
export const inGroup = makeFunctionReference<"query", { group: number }, unknown[]>("rows:inGroup");
const text = makeFunctionReference<"query", Place, string | null>("rows:text");
const textRuns = makeFunctionReference<"query", Record<string, never>, number>("rows:textRuns");

export interface Heard {
  /** Milliseconds, of each mutation. */
  times: number[];
  /** Queries that were run again, for each mutation. */
  runs: number;
}

/** @param clients among whom the queries are divided */
export const measureHearing = async (
  url: string,
  { queries, clients: clientCount, count }: { queries: number; clients: number; count: number },
): Promise<Heard> => {
  const clients = Array.from(
    { length: clientCount },
    () => new ConvexClient(url, { logger: false, unsavedChangesWarning: false }),
  );
  const http = new ConvexHttpClient(url, { logger: false });
  const shown = new Map<number, string | null>();
  const waiting = new Map<string, () => void>();
  try {
    await new Promise<void>((resolve) => {
      for (let i = 0; i < queries; i++) {
        clients[i % clientCount]!.onUpdate(text, placeOf(i), (value) => {
          shown.set(i, value);
          if (shown.size === queries) resolve();
          waiting.get(value ?? "")?.();
        });
      }
    });
    const before = await http.query(textRuns, {});
    const times: number[] = [];
    for (let k = 0; k < count; k++) {
      const news = `heard ${k} ${Math.random()}`;
      const heard = new Promise<void>((resolve) => waiting.set(news, resolve));
      const startedMs = performance.now();
      await http.mutation(edit, { ...anyPlace(queries), text: news });
      await heard;
      times.push(performance.now() - startedMs);
    }
    return { times, runs: ((await http.query(textRuns, {})) - before) / count };
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
};

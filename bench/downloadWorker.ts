// Our side of bench/download.ts: opens the whole recording as a range and reads its bytes to the end.
import { memoryStore } from "../tests/memoryStore.ts";
import { standInNet } from "#local/twitch/standInNet.ts";
import { createGuardedFetch } from "#shared/source/fetch.ts";
import { openRange } from "#shared/source/open.ts";
import { resolveSource } from "#shared/source/resolve.ts";

const [address = "", rendition = "video"] = process.argv.slice(2);
const net = createGuardedFetch(standInNet({ "media.example": address }));
const deps = { fetch: net.fetch, store: memoryStore() };
const limits = { maxDurationSec: 36_000, maxBytes: 2 ** 40, maxSegments: 100_000 };
const url = `http://media.example/${rendition}/index.m3u8`;
const source = await resolveSource({ kind: "media", url }, { ...deps, limits, spoolTo: null });
const { durationSec } = source;
const track = rendition === "video" ? "video" : "audio";
for await (const piece of openRange(source, { startSec: 0, endSec: durationSec, track }, deps)) {
  let bytes = 0;
  for await (const chunk of piece.stdin ?? []) bytes += (chunk as Buffer).length;
  if (bytes === 0) throw new Error("Nothing was read.");
  await piece.close();
}
await net.close();
process.send?.(process.resourceUsage().maxRSS / 1024);
process.disconnect?.();

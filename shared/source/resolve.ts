// From what an address names to a description that every later stage reads from.
import { StageError } from "../contract/errors.ts";
import { uploadTitle } from "../contract/uploads.ts";
import type { SourceDescription } from "./description.ts";
import { describeFile, type FileDeps, inspectAddress, inspectObject } from "./file.ts";
import { describeHls } from "./hls.ts";
import type { SourceRef } from "./parseUrl.ts";
import { spool } from "./spool.ts";
import { describeTwitchVod, type TwitchConfig } from "./twitch.ts";

export interface ResolveDeps extends FileDeps {
  /**
   * Where a file may be put whose server cannot be read out of order: a name of this job's own, or
   * null where that must not happen.
   */
  spoolTo: string | null;
  /** Time there is for that. Default 9 minutes. */
  spoolMs?: number;
  /** Over Twitch's own addresses. */
  twitch?: TwitchConfig;
}

/**
 * Finds out what a source is and what is in it.
 * @throws {StageError} of the source's kinds: `video_not_found`, `not_media`, `video_too_long`, …
 */
export const resolveSource = async (
  ref: SourceRef,
  deps: ResolveDeps,
): Promise<SourceDescription> => {
  switch (ref.kind) {
    case "upload": {
      if (ref.bucket !== deps.store.bucket) throw new StageError("video_not_found");
      const file = await inspectObject(ref.object, deps);
      const title = uploadTitle(ref.object);
      const named = title === undefined ? {} : { title };
      return { provider: "upload", ...named, ...(await describeFile(file, deps)) };
    }
    case "media": {
      const found = await inspectAddress(ref.url, deps);
      if (found.kind === "playlist") {
        const hls = await describeHls(ref.url, deps, { mayBeMuted: false });
        return { provider: "url", ...hls };
      }
      if (found.kind === "file") return { provider: "url", ...(await describeFile(found, deps)) };
      if (deps.spoolTo === null) {
        throw new StageError("unsupported_source", "The server cannot be read out of order.");
      }
      await spool(deps.fetch, ref.url, deps.store, deps.spoolTo, {
        maxBytes: deps.limits.maxBytes,
        totalMs: deps.spoolMs ?? 540_000,
        ...(deps.signal ? { signal: deps.signal } : {}),
      });
      const file = await inspectObject(deps.spoolTo, deps);
      return { provider: "url", ...(await describeFile(file, deps)) };
    }
    case "twitch_vod":
      return describeTwitchVod(ref.id, deps);
    default:
      throw new StageError("unsupported_source");
  }
};

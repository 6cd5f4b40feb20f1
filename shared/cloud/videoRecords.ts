// The documented writes to `videos` (`convex-integration`), for programs that run an analysis of
// their own and only keep the video's row. What the Python layers did in three files, once.
// A video that the pipeline is working on is refused: the ledger writes that one.
import { api } from "#convex/_generated/api.js";
import type { VideoUrls } from "../contract/ledger.ts";
import type { Status } from "../contract/stages.ts";
import type { Log } from "../pipeline/log.ts";
import type { ConvexCalls } from "./convexCalls.ts";

/** The documents' five addresses; `gs://` ones are kept as references too. */
export type DocumentedUrls = Omit<VideoUrls, "references" | "expiresAt">;

export interface VideoRecords {
  /** The public part of the newest row of a Twitch video, or null. */
  getVideo(twitchId: string): Promise<{ _id: string; title: string; status?: Status } | null>;
  checkVideoExists(twitchId: string): Promise<boolean>;
  updateVideoStatus(twitchId: string, status: Status): Promise<void>;
  updateVideoUrls(twitchId: string, urls: DocumentedUrls): Promise<void>;
  /** Status and addresses in one call. */
  updatePipelineProgress(
    twitchId: string,
    progress: { status: Status; urls?: DocumentedUrls },
  ): Promise<void>;
  updateTranscriptUrl(twitchId: string, url: string): Promise<void>;
  updateChatUrl(twitchId: string, url: string): Promise<void>;
  updateAudiowaveUrl(twitchId: string, url: string): Promise<void>;
  updateTranscriptAnalysisUrl(twitchId: string, url: string): Promise<void>;
  updateTranscriptWordUrl(twitchId: string, url: string): Promise<void>;
}

/**
 * @param testMode logs each write instead of sending it (`CONVEX_TEST_MODE`)
 * Methods throw {StageError} `not_found`, `conflict` for a video the pipeline runs, and
 * `ledger_unavailable` after a few tries.
 */
export const createVideoRecords = (
  { query, mutation }: ConvexCalls,
  { testMode, log }: { testMode: boolean; log: Log },
): VideoRecords => {
  const write = async (
    what: string,
    twitchId: string,
    fields: Record<string, string>,
    send: () => Promise<unknown>,
  ) => {
    if (testMode) log.info(`test mode: ${what} not sent`, { twitchId, ...fields });
    else await send();
  };
  const updateVideoStatus = (twitchId: string, status: Status) =>
    write("status", twitchId, { status }, () =>
      mutation(api.video.updateStatusByTwitchId, { twitchId, status }),
    );
  const updateVideoUrls = (twitchId: string, urls: DocumentedUrls) =>
    // Signed addresses open the files for whoever has them: their names are logged, not they.
    write("addresses", twitchId, { fields: Object.keys(urls).join(" ") }, () =>
      mutation(api.video.updateUrls, { twitchId, urls }),
    );
  const getVideo = (twitchId: string) => query(api.video.getByTwitchIdPublic, { twitchId });

  return {
    getVideo,
    checkVideoExists: async (twitchId) => (await getVideo(twitchId)) !== null,
    updateVideoStatus,
    updateVideoUrls,
    updatePipelineProgress: async (twitchId, { status, urls }) => {
      await updateVideoStatus(twitchId, status);
      if (urls) await updateVideoUrls(twitchId, urls);
    },
    updateTranscriptUrl: (twitchId, url) => updateVideoUrls(twitchId, { transcriptUrl: url }),
    updateChatUrl: (twitchId, url) => updateVideoUrls(twitchId, { chatUrl: url }),
    updateAudiowaveUrl: (twitchId, url) => updateVideoUrls(twitchId, { audiowaveUrl: url }),
    updateTranscriptAnalysisUrl: (twitchId, url) =>
      updateVideoUrls(twitchId, { transcriptAnalysisUrl: url }),
    updateTranscriptWordUrl: (twitchId, url) =>
      updateVideoUrls(twitchId, { transcriptWordUrl: url }),
  };
};

// Fetches one time window of the chat replay, or reads the chat file that came with the job.
import { z } from "zod";
import { parseChatFile } from "../../chat/chatFile.ts";
import type { ChatCompleteness } from "../../chat/windows.ts";
import { fetchWindow } from "../../chat/twitchReplay.ts";
import type { ObjectStore } from "../../cloud/objectStore.ts";
import { ChatMessage } from "../../contract/chat.ts";
import { StageError } from "../../contract/errors.ts";
import type { Warning } from "../../contract/warnings.ts";
import type { TwitchApi } from "../../source/twitchApi.ts";
import type { StageDefinition } from "../stage.ts";
import { STAGE_VERSIONS } from "../versions.ts";
import { type Plan, readPlan } from "./plan.ts";

export const MESSAGES = "messages.json";
export const ChatMessages = z.array(ChatMessage);

export interface ChatDeps {
  store: ObjectStore;
  twitch: TwitchApi;
  parallel: number;
}

/** What a chat file says of the video it was written for. */
const ChatAbout = z.object({
  videoId: z.string().optional(),
  title: z.string().optional(),
  videoCreatedAt: z.string().optional(),
  channelId: z.string().optional(),
  channelName: z.string().optional(),
});
type ChatAbout = z.infer<typeof ChatAbout>;

interface ChatPart {
  messages: ChatMessage[];
  completeness: ChatCompleteness;
  warnings: Warning[];
  about?: ChatAbout;
}

/** What the parts say of themselves; added up over all windows later. */
export const ChatSummary = z.object({
  messages: z.int(),
  completeness: z.object({ totalSec: z.number(), doubtfulSec: z.array(z.number()) }),
  about: ChatAbout.optional(),
});

type TwitchChat = Extract<Plan["chat"], { kind: "twitch" }>;

const windowOf = (chat: TwitchChat, index: number) => {
  const window = chat.windows[index];
  if (!window) throw new StageError("internal", `There is no chat window ${index}.`);
  return window;
};

export const chatStage = (deps: ChatDeps): StageDefinition => {
  const fromFile = async (object: string): Promise<ChatPart> => {
    const { messages, video, channel } = await parseChatFile(deps.store.stream(object));
    const about: ChatAbout = {
      videoId: video?.id,
      title: video?.title,
      videoCreatedAt: video?.createdAt,
      channelId: channel?.id,
      channelName: channel?.name,
    };
    return { messages, completeness: { totalSec: 0, doubtfulSec: [] }, warnings: [], about };
  };

  const fromTwitch = async (
    chat: TwitchChat,
    index: number,
    signal: AbortSignal,
    onProgress: (fraction: number) => void,
  ): Promise<ChatPart> => {
    const window = windowOf(chat, index);
    const found = await fetchWindow({
      api: deps.twitch,
      videoId: chat.videoId,
      window,
      parallel: deps.parallel,
      signal,
      onProgress,
    });
    if (found.kind === "none")
      return {
        messages: [],
        completeness: { totalSec: 0, doubtfulSec: [] },
        warnings: [{ code: "chat_none", message: "The video has no chat replay." }],
      };
    return { messages: found.messages, completeness: found.completeness, warnings: [] };
  };

  return {
    stage: "chat",
    version: STAGE_VERSIONS.chat,
    inputs: async (input) => {
      const { chat, identity } = await readPlan(deps.store, input);
      switch (chat.kind) {
        case "none":
          return null;
        case "file":
          return { file: chat.identity };
        case "twitch":
          return { identity, videoId: chat.videoId, window: windowOf(chat, input.index) };
      }
    },
    run: async (input, { signal, progress }) => {
      const { chat } = await readPlan(deps.store, input);
      if (chat.kind === "none") throw new StageError("internal", "There is no chat to read.");
      const { messages, completeness, warnings, about } =
        chat.kind === "file"
          ? await fromFile(chat.object)
          : await fromTwitch(chat, input.index, signal, progress);
      return {
        objects: [
          { name: MESSAGES, contentType: "application/json", body: JSON.stringify(messages) },
        ],
        summary: { messages: messages.length, completeness, ...(about ? { about } : {}) },
        warnings,
      };
    },
  };
};

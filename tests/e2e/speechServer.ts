// A server of OpenAI's transcription protocol that answers at once: for tests that count how often
// speech is sent away, not what is heard. Those that listen use a real engine.
import { createServer } from "node:http";
import { listen, stop } from "#local/httpServer.ts";

const WORDS = ["so", "that", "was", "quite", "something"];
const FIRST_WORD_SEC = 6;

export interface SpeechServer extends AsyncDisposable {
  baseUrl: string;
  requests(): number;
}

export const startSpeechServer = async (): Promise<SpeechServer> => {
  let requests = 0;
  const words = WORDS.map((word, i) => ({
    word,
    start: FIRST_WORD_SEC + i,
    end: FIRST_WORD_SEC + i + 0.5,
  }));
  const server = createServer((req, res) => {
    requests += 1;
    req.resume();
    req.once("end", () => {
      res.setHeader("content-type", "application/json");
      res.end(JSON.stringify({ language: "english", text: WORDS.join(" "), words }));
    });
  });
  return {
    baseUrl: `${await listen(server)}/v1`,
    requests: () => requests,
    [Symbol.asyncDispose]: () => stop(server),
  };
};

// What bounds a client that reads slowly or sends fast: while much waits to be read by it nothing more is done
// for it, and while much of what it sent waits to be done nothing more is read from it.
import type { WebSocket } from "ws";

/** What may wait to be read by a client. */
const MAX_BUFFERED_BYTES = 1024 ** 2;
/** A client that reads nothing for so long is cut off; it comes back by itself. */
const MAX_STALL_MS = 30_000;
/** Nobody is told when a socket's buffer empties. */
const LOOK_AGAIN_MS = 20;
const MAX_WAITING_MESSAGES = 2_000;
/** What may wait to be done for a client. */
const MAX_WAITING_BYTES = 4 * 1024 ** 2;

/**
 * Waits until a slow client has read most of what it was sent.
 * @returns false where it was cut off, having read nothing for long
 */
export const drained = async (
  socket: Pick<WebSocket, "bufferedAmount" | "terminate">,
  isOpen: () => boolean,
): Promise<boolean> => {
  let leastBytes = Infinity;
  let readAtMs = 0;
  while (isOpen() && socket.bufferedAmount > MAX_BUFFERED_BYTES) {
    if (socket.bufferedAmount < leastBytes) {
      leastBytes = socket.bufferedAmount;
      readAtMs = performance.now();
    } else if (performance.now() - readAtMs > MAX_STALL_MS) {
      socket.terminate();
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  return true;
};

/** What a client has sent, in order. */
export interface Inbox<Message> {
  /** @returns false where too many wait already; then it was not added */
  add(message: Message, sizeBytes: number): boolean;
  first(): Message | undefined;
  /** Does the first, which counts as waiting until it is done; nothing where there is none. */
  takeFirst(handle: (message: Message) => Promise<void>): Promise<void>;
}

export const createInbox = <Message>(
  socket: Pick<WebSocket, "isPaused" | "pause" | "resume">,
): Inbox<Message> => {
  const waiting: { message: Message; sizeBytes: number }[] = [];
  let waitingBytes = 0;
  return {
    add(message, sizeBytes) {
      if (waiting.length >= MAX_WAITING_MESSAGES) return false;
      waiting.push({ message, sizeBytes });
      waitingBytes += sizeBytes;
      if (waitingBytes > MAX_WAITING_BYTES) socket.pause();
      return true;
    },
    first: () => waiting[0]?.message,
    async takeFirst(handle) {
      const first = waiting.shift();
      if (!first) return;
      await handle(first.message);
      waitingBytes -= first.sizeBytes;
      if (socket.isPaused && waitingBytes <= MAX_WAITING_BYTES) socket.resume();
    },
  };
};

// Reading what a service outside answers, which may be endless, or never end.

/**
 * A response's body as text.
 * @param signal  gives up between two pieces: Convex's own `fetch` knows none
 * @returns       null for more than `maxBytes`, and when given up; the rest is not read
 */
export const readBody = async (
  response: Response,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string | null> => {
  const reader = response.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  while (!signal.aborted) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maxBytes) break;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return null;
};

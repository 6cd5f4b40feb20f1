// What a command says of a failure.

/** An error and its causes in sentences: what a person can act on, without a stack. */
export const describeError = (error: unknown): string => {
  const sentences: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) sentences.push(at.message);
  return sentences.join("\n  because: ") || String(error);
};

// The gcloud commands of a page, for the linter: those of its blocks for a shell and those in its text.

const BLOCK = /^[ ]*```sh\n(.*?)^[ ]*```$/gms;
const INLINE = /`(gcloud [^`\n]+)`/g;

/** With something in place of what the shell would put in, and without what it does besides. */
const filledIn = (command: string): string =>
  command
    .replaceAll(/\$\([^)]*\)/g, "x")
    .replaceAll(/\$\{?\w+\}?/g, "sample")
    .replace(/ [|<>] .*$/, "")
    .trim();

/** @param markdown lines that end in `\` go on in the next */
export const gcloudCommandsIn = (markdown: string): string[] => {
  const blocks = [...markdown.matchAll(BLOCK)].map(([, text = ""]) => text);
  const lines = blocks.flatMap((text) => text.replaceAll(/\\\n\s*/g, "").split("\n"));
  const inText = [...markdown.replaceAll(BLOCK, "").matchAll(INLINE)].map(([, text = ""]) => text);
  return [...lines.map((line) => line.trim()), ...inText]
    .filter((line) => line.startsWith("gcloud "))
    .map(filledIn);
};

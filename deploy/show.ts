// Changes as people read them: a line each, and for a review the commands with their files.
import type { Change } from "./apply.ts";
import type { Command } from "./resource.ts";
import { commandLine } from "./tools.ts";

const MAX_SHOWN = 4;

export const changeLine = ({ resource, kind, differences }: Change): string => {
  const shown = differences.slice(0, MAX_SHOWN).join("; ");
  const more = differences.length - MAX_SHOWN;
  const why = shown === "" ? "" : ` (${shown}${more > 0 ? `; ${more} more` : ""})`;
  return `${kind}  ${resource.id}${why}`;
};

const indented = (text: string): string => text.trimEnd().replaceAll(/^/gm, "    ");

/** The command, then each of its files. */
export const commandText = (command: Command): string => {
  const files = Object.entries(command.files ?? {}).map(
    ([name, text]) => `  ${name}:\n${indented(text)}\n`,
  );
  return `  ${commandLine(command)}\n${files.join("")}`;
};

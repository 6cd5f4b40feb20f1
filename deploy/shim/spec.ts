// One command of the stand-in: what it is called with, and what it does to the state.
import type { State } from "./state.ts";

export interface Call {
  state: State;
  args: readonly string[];
  flags: Readonly<Record<string, string>>;
  /** Content of a file that is named in a flag or argument. */
  file(path: string): string;
  /** Standard input. */
  input: string;
}

export interface Spec {
  words: string;
  /** As `parseArgs` takes them, beside `--project` and `--format`. */
  flags?: readonly string[];
  positional?: number;
  /** Without this API the command is refused. */
  api?: string;
  mutates?: boolean;
  /** @returns what is printed as JSON; text is printed as it is */
  run(call: Call): unknown;
}

export const first = ({ args }: Call): string => args[0] ?? "";

/** `a=b,c=d` */
export const labelsOf = (text: string | undefined): Record<string, string> =>
  Object.fromEntries(
    (text ?? "")
      .split(",")
      .filter(Boolean)
      .map((pair) => pair.split("=")),
  );

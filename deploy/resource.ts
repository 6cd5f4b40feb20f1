// What everything that is deployed has in common. A resource only says how it is read, made, changed
// and removed; `apply.ts` decides which of these is due, and `tools.ts` alone runs anything.
import type { Json } from "./json.ts";

export interface SecretInput {
  text: string;
  /** Shown in its place. */
  shown: string;
}

export interface Command {
  tool: "gcloud" | "convex";
  /** `{{name}}` stands for the path of a file with the content of `files[name]`. */
  args: readonly string[];
  files?: Readonly<Record<string, string>>;
  /** Given on standard input, so that it is in no file and no list of processes. */
  secretInput?: SecretInput;
}

export const gcloud = (...args: readonly string[]): Command => ({ tool: "gcloud", args });

/** What is known of the project and of the resources that come before. */
export interface Known {
  /** The number that Google gave the project. */
  projectNumber: string;
  /** What is there of a resource named in `uses`; undefined where nothing is yet. */
  of(id: string): Json | undefined;
}

export interface Resource {
  /** Its kind and name, such as `topic media`. */
  id: string;
  kind: string;
  name: string;
  /** What `--only` picks it by: names of functions, and of the part it belongs to. */
  parts: readonly string[];
  /** Without these it cannot be there, so that it is not even asked for. */
  needs: readonly string[];
  /** Others whose state `create`, `update` and `differences` look at. */
  uses: readonly string[];
  /** Answers JSON; several resources may share one listing. */
  read: Command;
  /** What `read` fails with where there is nothing. */
  absent?: RegExp;
  find(answer: Json): Json | undefined;
  /** False where somebody else has something of this name: that is never touched. */
  isOurs(current: Json): boolean;
  /** A line for each thing that is not as it should be. */
  differences(current: Json, known: Known): string[];
  create(known: Known): Command[];
  update(current: Json, known: Known): Command[];
  /** Nothing where it goes with what it lies in. */
  remove(current: Json, known: Known): Command[];
  /** Why `destroy` leaves it. */
  stays?: string;
  /** True for what `destroy` removes only with `--data`. */
  isData?: boolean;
}

type Declared = Omit<Resource, "id" | "needs" | "uses" | "isOurs" | "remove"> &
  Partial<Pick<Resource, "needs" | "uses" | "isOurs" | "remove">>;

export const idOf = (kind: string, name: string): string => `${kind} ${name}`;

export const resource = (declared: Declared): Resource => ({
  needs: [],
  uses: [],
  isOurs: () => true,
  remove: () => [],
  ...declared,
  id: idOf(declared.kind, declared.name),
});

/** Label of everything of ours that can have one. */
export const LABEL = { key: "app", value: "klipstream" } as const;
export const LABELS = { [LABEL.key]: LABEL.value };
export const LABEL_FLAG = `${LABEL.key}=${LABEL.value}`;
/** For what has no labels but a description. */
export const MARK = "Made by deploy/deploy.sh of KlipStream.";

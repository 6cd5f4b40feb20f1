// `--option highlights.count=3` as a part of the request's `options`. Their names are judged here, as
// wrong use of the command; what the values mean is the service's to judge, which answers with every
// problem at once.
import { AnalysisOptions } from "#shared/contract/options.ts";
import { UsageError } from "./command.ts";

const UNSAFE = new Set(["__proto__", "constructor", "prototype"]);

/** `true`, `5`, `["a"]` as what they are in JSON; anything else is text. */
const valueOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not JSON, so it is text: `--option language=en`.
    return text;
  }
};

/** @throws {UsageError} */
const checkNames = (options: Record<string, unknown>): void => {
  const { error } = AnalysisOptions.safeParse(options);
  const unknown = (error?.issues ?? []).flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => [...issue.path, key].join("."))
      : [],
  );
  if (unknown.length > 0)
    throw new UsageError(`--option ${unknown.join(", ")}: there is no such option`);
};

/**
 * What to ask for besides: no notes and quiz, unless they are, where nobody would stay to make them.
 * @param isOwn  whether the cloud ends with the command
 */
export const withStudy = (
  options: Record<string, unknown>,
  isOwn: boolean,
): Record<string, unknown> => (isOwn ? { study: false, ...options } : options);

/** @throws {UsageError} for what is not `name=value` or `group.name=value`, or no option's name */
export const parseOptions = (pairs: readonly string[]): Record<string, unknown> => {
  const options: Record<string, unknown> = {};
  for (const pair of pairs) {
    const [, path, text] = /^([a-z0-9_.]+)=(.*)$/s.exec(pair) ?? [];
    if (path === undefined || text === undefined)
      throw new UsageError(`--option ${pair}: write name=value, such as highlights.count=3`);
    const names = path.split(".");
    const last = names.pop() ?? "";
    if ([...names, last].some((name) => name === "" || UNSAFE.has(name)))
      throw new UsageError(`--option ${pair}: "${path}" is not an option's name`);
    let group = options;
    for (const name of names) {
      const inner = group[name] ?? {};
      if (typeof inner !== "object" || inner === null)
        throw new UsageError(`--option ${pair}: "${name}" has a value already`);
      group[name] = inner;
      group = inner as Record<string, unknown>;
    }
    group[last] = valueOf(text);
  }
  checkNames(options);
  return options;
};

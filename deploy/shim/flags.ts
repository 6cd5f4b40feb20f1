// A command line as gcloud reads it: words, then arguments and `--flags`. A flag that the command
// does not have is refused, as the real one does.

export interface Parsed {
  args: readonly string[];
  flags: Readonly<Record<string, string>>;
}

/** What gcloud says, and exits 1. */
export class Refused extends Error {
  override name = "Refused";
}

/**
 * @param known names of flags; `name=` takes a value, `name!` must be there, `name` is a switch
 */
export const parseArgs = (
  given: readonly string[],
  known: readonly string[],
  positional: number,
): Parsed => {
  const args: string[] = [];
  const flags: Record<string, string> = {};
  for (const word of given) {
    if (!word.startsWith("--")) {
      args.push(word);
      continue;
    }
    const [, name = "", value] = /^--([\w-]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const takes = known.includes(`${name}=`) || known.includes(`${name}!`);
    if (!takes && !known.includes(name)) {
      throw new Refused(`unrecognized arguments: --${name}`);
    }
    if (takes !== (value !== undefined)) throw new Refused(`argument --${name}: wrong value`);
    flags[name] = value ?? "true";
  }
  for (const name of known) {
    if (name.endsWith("!") && flags[name.slice(0, -1)] === undefined) {
      throw new Refused(`argument --${name.slice(0, -1)}: Must be specified.`);
    }
  }
  if (args.length !== positional) {
    throw new Refused(
      `${args.length} arguments where there must be ${positional}: ${args.join(" ")}`,
    );
  }
  return { args, flags };
};

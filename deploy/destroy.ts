// `deploy/destroy.sh`: takes away what `deploy.sh` made, and nothing else. It is shown first.
import { createInterface } from "node:readline/promises";
import { type Change, type World, removeAll } from "./apply.ts";
import { WrongUse, readOptions, runCommand } from "./commandLine.ts";
import type { Plan } from "./plan.ts";
import type { Resource } from "./resource.ts";
import { leftovers } from "./resources/listed.ts";
import { type Machine, type Session, machine, openSession } from "./session.ts";
import { changeLine, commandText } from "./show.ts";
import { type Tools, readJson } from "./tools.ts";

const HELP = `Usage: deploy/destroy.sh [--data] [--yes | --dry-run] [--only NAME...] [--project P] [--region R]

Removes from Google Cloud what deploy.sh made: what has its label, mark or name. Shows it first and
asks. APIs stay enabled, and the Convex deployment with its data stays as it is.

  --data          the bucket as well, with everything that people got
  --yes           do not ask
  --dry-run       only show, with the commands
  --only NAME...  some parts, as deploy.sh has them
  --project P, --region R, --help

Exit status: 0 done, 1 something is missing or failed, 2 wrong use or not confirmed.
`;

/** Made of an earlier catalog or other settings; these come away first. */
const findLeftovers = async ({ kinds, resources }: Plan, world: World, tools: Tools) => {
  const found: Resource[] = [];
  for (const kind of kinds) {
    const api = resources.find(({ id }) => kind.needs.includes(id));
    if (!api || (await world.current(api)) === undefined) continue;
    found.push(...leftovers(kind, await readJson(tools, kind.list), resources));
  }
  return found;
};

const confirmed = async (count: number): Promise<boolean> => {
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await lines.question(`Remove these ${count}? Write "remove": `);
    return answer.trim() === "remove";
  } finally {
    lines.close();
  }
};

/** What stays, and why. */
const tellWhatStays = (resources: readonly Resource[], hasData: boolean, from: Machine): void => {
  const reasons = new Map<string, string[]>();
  for (const { stays, isData, id } of resources) {
    const why = isData && !hasData ? "--data removes it" : stays;
    if (why !== undefined) reasons.set(why, [...(reasons.get(why) ?? []), id]);
  }
  for (const [why, ids] of reasons) from.print(`Stays: ${ids.join(", ")} (${why})\n`);
};

const work = async (session: Session, from: Machine, switches: ReadonlySet<string>) => {
  const { plan, selected, world, tools, settings } = session;
  const { print } = from;
  const isWhole = selected.length === plan.resources.length;
  const hasData = switches.has("data");
  const resources = [
    ...selected.filter(({ isData }) => hasData || !isData),
    ...(isWhole ? await findLeftovers(plan, world, tools) : []),
  ];
  const changes: Change[] = [];
  await removeAll(resources, { tools: null, world, onChange: (change) => changes.push(change) });
  print(`KlipStream on ${settings.projectId}, ${settings.region}\n`);
  for (const change of changes) {
    print(`${changeLine(change)}\n`);
    if (switches.has("dry-run")) for (const command of change.commands) print(commandText(command));
  }
  tellWhatStays(selected, hasData, from);
  if (changes.length === 0) return print("There is nothing to remove.\n");
  if (switches.has("dry-run")) return;
  if (!switches.has("yes") && !(await confirmed(changes.length))) {
    throw new WrongUse("Nothing was removed: it was not confirmed. --yes confirms beforehand.");
  }
  const removed = await removeAll(resources, { tools, world, onChange: () => undefined });
  print(`${removed} were removed.\n`);
};

export const destroy = (argv: string[], from: Machine = machine()): Promise<number> =>
  runCommand(
    HELP,
    async () => {
      const options = readOptions(argv, ["data", "yes", "dry-run"]);
      if (options.help) return from.print(HELP);
      const session = await openSession(options, from, "remove");
      await work(session, from, options.switches);
    },
    from.complain,
  );

if (import.meta.main) process.exitCode = await destroy(process.argv.slice(2));

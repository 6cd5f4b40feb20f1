// `deploy/deploy.sh`: brings Google Cloud and Convex to what the catalog and the settings say.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { applyAll, type Change } from "./apply.ts";
import { checkNames } from "./checks.ts";
import { NotReady, type Options, WrongUse, readOptions, runCommand } from "./commandLine.ts";
import { firstSteps } from "./firstSteps.ts";
import type { Release } from "./plan.ts";
import { readJson } from "./tools.ts";
import { leftovers } from "./resources/listed.ts";
import { SavedTraffic, sharesOf } from "./resources/release.ts";
import { type Machine, type Session, machine, openSession } from "./session.ts";
import { changeLine, commandText } from "./show.ts";

const HELP = `Usage: deploy/deploy.sh [--dry-run [--offline]] [--only NAME...] [--project P] [--region R]
                        [--tag T | --traffic T [--save FILE] | --restore FILE]

Puts KlipStream on Google Cloud Run, or brings what is there up to date. May be repeated: only
what differs is changed, and after a failure the next run goes on.

  --dry-run       change nothing; print what would be done, with all descriptions and commands
  --offline       with --dry-run: ask nobody what is there, and print everything
  --only NAME...  some parts: functions by their names (functions/catalog.ts), or apis, accounts,
                  access, bucket, image, secrets, topics, convex, jobs, services, subscriptions,
                  schedules, monitoring
  --tag T         each function gets a revision under this tag, at an address of its own, and no
                  traffic before --traffic T; letters, digits and hyphens, a letter first
  --traffic T     all traffic to the revisions under this tag, and nothing else; an earlier tag
                  leads back
  --save FILE     before that, write down what has the traffic
  --restore FILE  the traffic to what is written there, and nothing else
  --project P     the project (or GOOGLE_CLOUD_PROJECT)
  --region R      the region (or REGION; default us-central1)
  --help

Settings come from the environment, .env and .env.yaml, in this order; .env.example and
.env.yaml.example tell them. Needed are a project and CONVEX_URL with CONVEX_DEPLOY_KEY.

Exit status: 0 done, 1 something is missing or failed, 2 wrong use.
`;

/** Of an earlier catalog, and no longer wanted. */
const tellLeftovers = async (
  { plan, world, tools }: Session,
  { print }: Machine,
): Promise<void> => {
  for (const kind of plan.kinds) {
    const wanted = plan.resources.filter((resource) => resource.kind === kind.kind);
    const [any] = wanted;
    if (!any || (await world.current(any)) === undefined) continue;
    for (const left of leftovers(kind, await readJson(tools, kind.list), wanted)) {
      print(`${left.id} is no longer wanted; remove it with\n`);
      for (const command of left.remove(null, await world.known(left))) print(commandText(command));
    }
  }
};

/** What a revision's name and the host of its address can hold. */
const TAG = /^[a-z][a-z0-9-]{0,19}$/;

/** @throws {WrongUse} for a file that is not there, or is another's */
const readTraffic = (file: string): SavedTraffic => {
  try {
    return SavedTraffic.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (cause) {
    throw new WrongUse(`--restore ${file}: that is not what --save writes.`, { cause });
  }
};

/** @throws {WrongUse} */
const releaseOf = ({ values: { tag, traffic, save, restore } }: Options): Release => {
  if ([tag, traffic, restore].filter((value) => value !== undefined).length > 1) {
    throw new WrongUse("--tag, --traffic and --restore are steps of their own.");
  }
  if (save !== undefined && traffic === undefined) {
    throw new WrongUse("--save goes with --traffic.");
  }
  if (save !== undefined && existsSync(save)) {
    throw new WrongUse(`--save ${save}: it is there already, and may be what to go back to.`);
  }
  if (restore !== undefined) return { restore: readTraffic(restore) };
  for (const [name, value] of Object.entries({ tag, traffic })) {
    if (value !== undefined && !TAG.test(value)) {
      throw new WrongUse(`--${name} ${value}: at most 20 of a-z, 0-9 and -, a letter first.`);
    }
  }
  return { tag, traffic };
};

const saveTraffic = async (file: string, { selected, world }: Session): Promise<void> => {
  const traffic: SavedTraffic = {};
  for (const resource of selected) {
    const shares = sharesOf(await world.current(resource));
    if (resource.kind === "traffic" && shares.length > 0) traffic[resource.name] = shares;
  }
  writeFileSync(file, `${JSON.stringify(traffic, null, 2)}\n`);
};

const summary = (changes: readonly Change[], verb: string): string => {
  const count = (kind: Change["kind"]): number =>
    changes.filter((change) => change.kind === kind).length;
  return changes.length === 0
    ? "Everything is as it should be.\n"
    : `${count("create")} ${verb} created, ${count("update")} changed.\n`;
};

export const deploy = (argv: string[], from: Machine = machine()): Promise<number> =>
  runCommand(
    HELP,
    async () => {
      const options = readOptions(
        argv,
        ["dry-run", "offline"],
        ["tag", "traffic", "save", "restore"],
      );
      const { print } = from;
      if (options.help) return print(HELP);
      const isDryRun = options.switches.has("dry-run");
      const isOffline = options.switches.has("offline");
      if (isOffline && !isDryRun) throw new WrongUse("--offline goes with --dry-run.");
      const release = releaseOf(options);
      const session = await openSession(options, from, isOffline ? "show" : "make", release);
      const { settings, selected, tools, world } = session;
      if (!isOffline) {
        const problems = await checkNames(settings, selected, world, tools);
        if (problems.length > 0) throw new NotReady(problems);
      }
      const { save } = options.values;
      if (save !== undefined && !isDryRun) await saveTraffic(save, session);
      print(`KlipStream on ${settings.projectId}, ${settings.region}\n`);
      const changes: Change[] = [];
      await applyAll(selected, {
        tools: isDryRun ? null : tools,
        world,
        onChange: (change) => {
          changes.push(change);
          print(`${changeLine(change)}\n`);
          if (isDryRun) for (const command of change.commands) print(commandText(command));
        },
      });
      print(summary(changes, isDryRun ? "would be" : "were"));
      if (isDryRun) return;
      await tellLeftovers(session, from);
      print(await firstSteps(session));
    },
    from.complain,
  );

if (import.meta.main) process.exitCode = await deploy(process.argv.slice(2));

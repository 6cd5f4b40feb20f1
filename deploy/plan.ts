// All that is deployed, in an order in which each comes after what it needs.
import { CATALOG, type FunctionSpec } from "#functions/catalog.ts";
import type { Resource } from "./resource.ts";
import {
  accessBefore,
  accessToJobs,
  accessToServices,
  accessToSubscriptions,
} from "./resources/access.ts";
import { alerts, channels } from "./resources/alerts.ts";
import { bucket } from "./resources/bucket.ts";
import { database } from "./resources/convex.ts";
import { dashboard } from "./resources/dashboard.ts";
import { imageName, images, repositories, repositoryKind } from "./resources/image.ts";
import { jobKind, jobs } from "./resources/jobs.ts";
import type { ListedKind } from "./resources/listed.ts";
import { accounts, apis } from "./resources/project.ts";
import { type SavedTraffic, releases, toTag } from "./resources/release.ts";
import { scheduleKind, schedules } from "./resources/schedules.ts";
import { secretKind, secretVersions, secrets } from "./resources/secrets.ts";
import { serviceKind, services } from "./resources/services.ts";
import { subscriptionKind, subscriptions, topicKind, topics } from "./resources/topics.ts";
import type { Settings } from "./settings.ts";
import { deployed } from "./sizes.ts";
import type { Sources } from "./sources.ts";

export interface Plan {
  resources: readonly Resource[];
  /** Where something of an earlier catalog may be left. */
  kinds: readonly ListedKind[];
  /** What `--only` may name: functions, and parts such as `monitoring`. */
  parts: readonly string[];
}

export interface Release {
  /** Default all functions there are. */
  catalog?: readonly FunctionSpec[] | undefined;
  /** Functions get a revision of this name, and no traffic to it. */
  tag?: string | undefined;
  /** Nothing is made: the traffic goes to the revisions of this tag. */
  traffic?: string | undefined;
  /** Nothing is made: the traffic goes where it was. */
  restore?: SavedTraffic | undefined;
}

const partsOf = (resources: readonly Resource[]): string[] =>
  [...new Set(resources.flatMap(({ parts }) => parts))].toSorted();

const planTraffic = (
  settings: Settings,
  catalog: readonly FunctionSpec[],
  traffic: SavedTraffic,
): Plan => {
  const resources = [...apis(settings), ...releases(catalog, settings, traffic)];
  return { resources, kinds: [], parts: partsOf(resources) };
};

export const makePlan = (
  settings: Settings,
  sources: Sources,
  { catalog: named = CATALOG, tag, traffic, restore }: Release = {},
): Plan => {
  const catalog = deployed(named, settings);
  if (restore !== undefined) return planTraffic(settings, catalog, restore);
  if (traffic !== undefined) return planTraffic(settings, catalog, toTag(catalog, traffic));
  const functions = catalog.map(({ name }) => name);
  const resources = [
    ...apis(settings),
    ...accounts(settings),
    bucket(settings),
    ...repositories(settings),
    ...secrets(catalog, settings),
    ...secretVersions(catalog, settings),
    ...topics(catalog, settings),
    ...accessBefore(catalog, settings),
    ...images(settings, sources.image, functions),
    // Before the functions: what Convex offers grows first, so that both revisions find theirs.
    ...database(catalog, settings, sources.database),
    // Before the functions, which start them.
    ...jobs(catalog, settings, imageName(settings, sources.image)),
    ...accessToJobs(catalog, settings),
    ...services(catalog, settings, imageName(settings, sources.image), tag),
    ...accessToServices(catalog, settings),
    ...subscriptions(catalog, settings),
    ...accessToSubscriptions(catalog, settings),
    ...schedules(catalog, settings),
    ...channels(settings),
    ...alerts(catalog, settings),
    dashboard(catalog, settings),
  ];
  return {
    resources,
    kinds: [
      repositoryKind(settings),
      secretKind(settings),
      topicKind(settings),
      jobKind(settings),
      serviceKind(settings),
      subscriptionKind(settings),
      scheduleKind(settings),
    ],
    parts: partsOf(resources),
  };
};

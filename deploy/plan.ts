// All that is deployed, in an order in which each comes after what it needs.
import { CATALOG, type FunctionSpec } from "#functions/catalog.ts";
import type { Resource } from "./resource.ts";
import { accounts, apis } from "./resources/project.ts";
import { secretKind, secretVersions, secrets } from "./resources/secrets.ts";
import { serviceKind, services } from "./resources/services.ts";
import { subscriptionKind, subscriptions, topicKind, topics } from "./resources/topics.ts";
import type { ListedKind } from "./resources/listed.ts";
import type { Settings } from "./settings.ts";

export interface Plan {
  resources: readonly Resource[];
  /** Where something of an earlier catalog may be left. */
  kinds: readonly ListedKind[];
  /** What `--only` may name. */
  parts: readonly string[];
}

export const makePlan = (settings: Settings, catalog: readonly FunctionSpec[] = CATALOG): Plan => {
  const image = settings.image ?? "";
  const resources = [
    ...apis(settings),
    ...accounts(settings),
    ...secrets(catalog, settings),
    ...secretVersions(catalog, settings),
    ...topics(catalog, settings),
    ...services(catalog, settings, image),
    ...subscriptions(catalog, settings),
  ];
  return {
    resources,
    kinds: [
      secretKind(settings),
      topicKind(settings),
      serviceKind(settings),
      subscriptionKind(settings),
    ],
    parts: [...new Set(resources.flatMap(({ parts }) => parts))],
  };
};

// Revisions beside one another: a new one is deployed under a tag, tried at the tag's own address,
// and then given the traffic. Back again is giving it to an earlier tag, or to what had it before.
//
// Only the functions that answer callers can be tried at a tag. Subscriptions push to a service's own
// address, so that a stage's message goes to the revision with the traffic: the new revisions of stages
// are known to start, or they would not be deployed, but do their first work when they have the traffic.
// So a sample is run once more after that, and the traffic led back where it fails (cloudbuild.yaml).
import { z } from "zod";
import type { FunctionSpec } from "#functions/catalog.ts";
import { type Json, type JsonObject, at, differences, listAt, textAt } from "../json.ts";
import { type Resource, gcloud, resource } from "../resource.ts";
import { NEWEST, type Traffic, revisionName, serviceName } from "../service.ts";
import type { Settings } from "../settings.ts";
import { inRegion } from "../where.ts";
import { metadataName } from "./listed.ts";
import { apiId } from "./project.ts";

/** What gets traffic now goes on to, by its name and not as "the newest"; the tag stands beside it. */
export const trafficBeside = (
  functionName: string,
  tag: string,
  current: Json | undefined,
): Traffic => {
  const revision = revisionName(functionName, tag);
  const serving = listAt(current, "status", "traffic").flatMap((target): JsonObject[] => {
    const percent = at(target, "percent");
    const name = textAt(target, "revisionName");
    if (typeof percent !== "number" || percent === 0 || name === "") return [];
    const itsTag = textAt(target, "tag");
    return [{ revisionName: name, percent, ...(itsTag === "" ? {} : { tag: itsTag }) }];
  });
  // A service that is new has nothing to go on with.
  if (serving.length === 0) return NEWEST;
  if (serving.some((target) => target["revisionName"] === revision)) return serving;
  return [...serving, { revisionName: revision, percent: 0, tag }];
};

/** Which revisions of a service have how much of its traffic, in percent. */
const Shares = z.array(
  z.object({ revisionName: z.string().min(1), percent: z.int().min(1).max(100) }),
);
type Shares = z.infer<typeof Shares>;

/** What has the traffic, by the names of the services: what `--save` writes and `--restore` reads. */
export const SavedTraffic = z.record(z.string(), Shares);
export type SavedTraffic = z.infer<typeof SavedTraffic>;

/** @param current a service as Cloud Run lists it */
export const sharesOf = (current: Json | undefined): Shares =>
  listAt(current, "status", "traffic")
    .flatMap((target) => {
      const percent = at(target, "percent");
      return typeof percent === "number" && percent > 0
        ? [{ revisionName: textAt(target, "revisionName"), percent }]
        : [];
    })
    .toSorted((a, b) => (a.revisionName < b.revisionName ? -1 : 1));

/** All traffic to the revisions of a tag. */
export const toTag = (catalog: readonly FunctionSpec[], tag: string): SavedTraffic =>
  Object.fromEntries(
    catalog.map(({ name }) => [
      serviceName(name),
      [{ revisionName: revisionName(name, tag), percent: 100 }],
    ]),
  );

/** A service that `traffic` does not name is left as it is. */
export const releases = (
  catalog: readonly FunctionSpec[],
  settings: Settings,
  traffic: SavedTraffic,
): Resource[] => {
  return catalog.flatMap((spec) => {
    const name = serviceName(spec.name);
    const shares = traffic[name];
    if (shares === undefined) return [];
    const revisions = shares.map((share) => `${share.revisionName}=${share.percent}`).join(",");
    const to = () => [
      gcloud(
        "run",
        "services",
        "update-traffic",
        name,
        `--to-revisions=${revisions}`,
        ...inRegion(settings),
      ),
    ];
    return resource({
      kind: "traffic",
      name,
      parts: ["services", spec.name],
      needs: [apiId("run.googleapis.com")],
      read: gcloud("run", "services", "list", "--format=json", ...inRegion(settings)),
      find: (answer) =>
        Array.isArray(answer) ? answer.find((item) => metadataName(item) === name) : undefined,
      differences: (current) => differences(shares, sharesOf(current)),
      create: to,
      update: to,
    });
  });
};

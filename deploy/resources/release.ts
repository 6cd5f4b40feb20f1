// Revisions beside one another: a new one is deployed under a tag, tried at the tag's own address,
// and then given the traffic. Back again is giving it to an earlier tag.
import type { FunctionSpec } from "#functions/catalog.ts";
import { type Json, type JsonObject, at, differences, listAt, textAt } from "../json.ts";
import { type Resource, gcloud, resource } from "../resource.ts";
import { NEWEST, type Traffic, revisionName, serviceName } from "../service.ts";
import type { Settings } from "../settings.ts";
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

/** All traffic to the revisions of a tag. */
export const releases = (
  catalog: readonly FunctionSpec[],
  settings: Settings,
  tag: string,
): Resource[] => {
  const where = [`--region=${settings.region}`, `--project=${settings.projectId}`];
  return catalog.map((spec) => {
    const name = serviceName(spec.name);
    const to = () => [
      gcloud(
        "run",
        "services",
        "update-traffic",
        name,
        `--to-revisions=${revisionName(spec.name, tag)}=100`,
        ...where,
      ),
    ];
    return resource({
      kind: "traffic",
      name,
      parts: ["services", spec.name],
      needs: [apiId("run.googleapis.com")],
      read: gcloud("run", "services", "list", "--format=json", ...where),
      find: (answer) =>
        Array.isArray(answer) ? answer.find((item) => metadataName(item) === name) : undefined,
      differences: (current) =>
        differences(
          [{ revisionName: revisionName(spec.name, tag), percent: 100 }],
          listAt(current, "status", "traffic").filter((target) => at(target, "percent") === 100),
        ),
      create: to,
      update: to,
    });
  });
};

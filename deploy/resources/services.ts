// The functions, side by side: one service each, all of one image.
import { stringify } from "yaml";
import type { FunctionSpec } from "#functions/catalog.ts";
import { type Json, differences, listAt, textAt } from "../json.ts";
import { type Known, type Resource, gcloud, idOf } from "../resource.ts";
import { NEWEST, describeService, secretName, serviceName, serviceUrl } from "../service.ts";
import type { Settings } from "../settings.ts";
import { inRegion } from "../where.ts";
import { type ListedKind, hasMetadataLabel, inList, listed, metadataName } from "./listed.ts";
import { type Account, accountId, apiId } from "./project.ts";
import { trafficBeside } from "./release.ts";
import { secretVersionId, versionNumber } from "./secrets.ts";

export const serviceId = (functionName: string): string =>
  idOf("service", serviceName(functionName));

/** Every text is quoted, so that none turns into a number or a truth value. */
export const toYaml = (value: Json): string =>
  stringify(value, { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN", lineWidth: 0 });

export const serviceKind = (settings: Settings): ListedKind =>
  listed({
    kind: "service",
    needs: [apiId("run.googleapis.com")],
    nameOf: metadataName,
    isOurs: hasMetadataLabel,
    list: gcloud("run", "services", "list", "--format=json", ...inRegion(settings)),
    remove: (name) => [gcloud("run", "services", "delete", name, "--quiet", ...inRegion(settings))],
  });

/** Where a function answers: as Cloud Run says, or before that, as it will say. */
export const urlOf = (functionName: string, settings: Settings, known: Known): string =>
  textAt(known.of(serviceId(functionName)), "status", "url") ||
  serviceUrl(functionName, settings, known.projectNumber);

export const isReady = (current: Json): boolean =>
  listAt(current, "status", "conditions").some(
    (condition) => textAt(condition, "type") === "Ready" && textAt(condition, "status") === "True",
  );

/** A revision with a name of its own cannot be made twice; a failed one wants another tag. */
const nonceFor = (current: Json | undefined, tag: string | undefined): string | undefined =>
  current === undefined || isReady(current) || tag !== undefined
    ? undefined
    : `after-${textAt(current, "metadata", "generation")}`;

/** The variables of a function's secrets that are set. */
export const secretsOf = (spec: FunctionSpec, settings: Settings): string[] =>
  spec.secrets.filter((variable) => settings.secrets[variable] !== undefined);

/** Version of each, or where none is there yet, what it is of. */
export const versionsOf = (secrets: readonly string[], known: Known): Record<string, string> =>
  Object.fromEntries(
    secrets.map((variable) => [
      variable,
      versionNumber(known.of(secretVersionId(variable))) ?? `(of ${secretName(variable)})`,
    ]),
  );

/**
 * @param image what an instance is started from
 * @param tag for a revision that gets no traffic yet; without one, the newest gets all
 */
export const services = (
  catalog: readonly FunctionSpec[],
  settings: Settings,
  image: string,
  tag: string | undefined,
): Resource[] =>
  catalog.map((spec) => {
    const name = serviceName(spec.name);
    const secrets = secretsOf(spec, settings);
    const wanted = (known: Known, current?: Json, nonce?: string) =>
      describeService(spec, {
        nonce,
        settings,
        image,
        tag,
        traffic: tag === undefined ? NEWEST : trafficBeside(spec.name, tag, current),
        projectNumber: known.projectNumber,
        secretVersions: versionsOf(secrets, known),
      });
    const replace = (known: Known, current?: Json) => [
      {
        ...gcloud("run", "services", "replace", `{{${name}.yaml}}`, ...inRegion(settings)),
        files: { [`${name}.yaml`]: toYaml(wanted(known, current, nonceFor(current, tag))) },
      },
    ];
    const declared = inList(serviceKind(settings), name, {
      parts: ["services", spec.name],
      uses: [accountId(spec.account satisfies Account), ...secrets.map(secretVersionId)],
      wanted,
      create: replace,
      update: (current, known) => replace(known, current),
    });
    return {
      ...declared,
      differences: (current, known) => [
        // One that could not be started is tried again.
        ...(isReady(current) ? [] : ["not ready"]),
        ...differences(wanted(known, current), current),
      ],
    };
  });

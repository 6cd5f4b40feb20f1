// Keys of others' services, in Secret Manager: only those that are set, and never in a command.
import type { FunctionSpec } from "#functions/catalog.ts";
import { type Json, textAt } from "../json.ts";
import { LABEL_FLAG, type Resource, gcloud, idOf, resource } from "../resource.ts";
import { secretName } from "../service.ts";
import type { Settings } from "../settings.ts";
import { inProject } from "../where.ts";
import { type ListedKind, inList, listed } from "./listed.ts";
import { apiId } from "./project.ts";

export const secretKind = (settings: Settings): ListedKind =>
  listed({
    kind: "secret",
    needs: [apiId("secretmanager.googleapis.com")],
    list: gcloud("secrets", "list", "--format=json", inProject(settings)),
    remove: (name) => [gcloud("secrets", "delete", name, "--quiet", inProject(settings))],
  });

export const secretId = (variable: string): string => idOf("secret", secretName(variable));
export const secretVersionId = (variable: string): string =>
  idOf("secret version", secretName(variable));

const usedBy = (catalog: readonly FunctionSpec[], variable: string): string[] =>
  catalog.filter((spec) => spec.secrets.includes(variable)).map(({ name }) => name);

export const secrets = (catalog: readonly FunctionSpec[], settings: Settings): Resource[] =>
  Object.keys(settings.secrets).map((variable) =>
    inList(secretKind(settings), secretName(variable), {
      parts: ["secrets", ...usedBy(catalog, variable)],
      wanted: () => ({}),
      create: () => [
        gcloud(
          "secrets",
          "create",
          secretName(variable),
          "--replication-policy=automatic",
          `--labels=${LABEL_FLAG}`,
          inProject(settings),
        ),
      ],
      update: () => [],
    }),
  );

const valueOf = (version: Json): string =>
  Buffer.from(textAt(version, "payload", "data"), "base64url").toString("utf8");

/** The number of a version, as its full name ends. */
export const versionNumber = (version: Json | undefined): string | undefined =>
  textAt(version, "name").split("/").at(-1) || undefined;

/** What each secret says. A new value is a new version; old ones stay, for revisions that use them. */
export const secretVersions = (catalog: readonly FunctionSpec[], settings: Settings): Resource[] =>
  Object.entries(settings.secrets).map(([variable, value]) => {
    const name = secretName(variable);
    const add = () => [
      {
        ...gcloud("secrets", "versions", "add", name, "--data-file=-", inProject(settings)),
        secretInput: { text: value, shown: "the key" },
      },
    ];
    return resource({
      kind: "secret version",
      name,
      parts: ["secrets", ...usedBy(catalog, variable)],
      needs: [secretId(variable)],
      read: gcloud(
        "secrets",
        "versions",
        "access",
        "latest",
        `--secret=${name}`,
        "--format=json",
        inProject(settings),
      ),
      absent: /NOT_FOUND|is in (DISABLED|DESTROYED) state/,
      find: (version) => version,
      differences: (current) => (valueOf(current) === value ? [] : ["another value"]),
      create: add,
      update: add,
    });
  });

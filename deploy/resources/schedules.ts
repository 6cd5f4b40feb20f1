// What Cloud Scheduler calls. A call that fails is not repeated: the next one does all there is.
import type { FunctionSpec } from "#functions/catalog.ts";
import { textAt } from "../json.ts";
import { type Known, MARK, type Resource, gcloud } from "../resource.ts";
import { accountEmail, serviceName } from "../service.ts";
import type { Settings } from "../settings.ts";
import { inLocation } from "../where.ts";
import { type ListedKind, inList, listed } from "./listed.ts";
import { accountId, apiId } from "./project.ts";
import { serviceId, urlOf } from "./services.ts";

/** Over the function's own timeout, so that its answer is heard. */
const DEADLINE_OVER_SEC = 5;
const TIME_ZONE = "Etc/UTC";

export const scheduleKind = (settings: Settings): ListedKind =>
  listed({
    kind: "schedule",
    needs: [apiId("cloudscheduler.googleapis.com")],
    isOurs: (item) => textAt(item, "description") === MARK,
    list: gcloud("scheduler", "jobs", "list", "--format=json", ...inLocation(settings)),
    remove: (name) => [
      gcloud("scheduler", "jobs", "delete", name, "--quiet", ...inLocation(settings)),
    ],
  });

export const schedules = (catalog: readonly FunctionSpec[], settings: Settings): Resource[] =>
  catalog.flatMap((spec) => {
    if (spec.trigger.kind !== "schedule") return [];
    const name = serviceName(spec.name);
    const { cron } = spec.trigger;
    const caller = accountEmail("push", settings.projectId);
    const deadline = `${spec.timeoutSec + DEADLINE_OVER_SEC}s`;
    const command = (verb: "create" | "update", known: Known) => {
      const url = urlOf(spec.name, settings, known);
      return gcloud(
        "scheduler",
        "jobs",
        verb,
        "http",
        name,
        `--schedule=${cron}`,
        `--time-zone=${TIME_ZONE}`,
        `--uri=${url}/`,
        "--http-method=post",
        `--oidc-service-account-email=${caller}`,
        `--oidc-token-audience=${url}`,
        `--attempt-deadline=${deadline}`,
        "--max-retry-attempts=0",
        `--description=${MARK}`,
        ...inLocation(settings),
      );
    };
    return [
      inList(scheduleKind(settings), name, {
        parts: ["schedules", spec.name],
        uses: [serviceId(spec.name), accountId("push")],
        wanted: (known) => {
          const url = urlOf(spec.name, settings, known);
          return {
            schedule: cron,
            timeZone: TIME_ZONE,
            attemptDeadline: deadline,
            httpTarget: {
              uri: `${url}/`,
              httpMethod: "POST",
              oidcToken: { serviceAccountEmail: caller, audience: url },
            },
          };
        },
        create: (known) => [command("create", known)],
        update: (_current, known) => [command("update", known)],
      }),
    ];
  });

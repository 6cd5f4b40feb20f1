// What somebody is told of. Each says what it means and what to do first; docs/operations.md has more.
import type { FunctionSpec } from "#functions/catalog.ts";
import { type JsonObject, at, textAt } from "../json.ts";
import { type Known, LABEL, type Resource, gcloud, idOf, resource } from "../resource.ts";
import { serviceName } from "../service.ts";
import type { Settings } from "../settings.ts";
import { hashOf } from "../sources.ts";
import { inProject } from "../where.ts";
import { stageJobs } from "./jobs.ts";
import { apiId } from "./project.ts";
import { DEAD_LETTER_TOPIC, onTopics, subscriptionName } from "./topics.ts";

interface Alert {
  slug: string;
  displayName: string;
  /** What it means, and what to do. */
  text: string;
  conditions: JsonObject[];
  strategy?: JsonObject;
}

const RUN = 'resource.type="cloud_run_revision"';
const SUBSCRIPTION = 'resource.type="pubsub_subscription"';

const oneOf = (label: string, names: readonly string[]): string =>
  `${label}=one_of(${names.map((name) => `"${name}"`).join(",")})`;

const threshold = (
  displayName: string,
  filter: string,
  limit: { over: number; forSec: number; aligner: string; reducer?: string; groupBy?: string },
): JsonObject => ({
  displayName,
  conditionThreshold: {
    filter,
    comparison: "COMPARISON_GT",
    thresholdValue: limit.over,
    duration: `${limit.forSec}s`,
    aggregations: [
      {
        alignmentPeriod: "60s",
        perSeriesAligner: limit.aligner,
        crossSeriesReducer: limit.reducer ?? "REDUCE_SUM",
        ...(limit.groupBy === undefined ? {} : { groupByFields: [limit.groupBy] }),
      },
    ],
    trigger: { count: 1 },
  },
});

const SERVICE = "resource.label.service_name";

/** Of what seldom happens there is no data in between, and an incident that is open tells of nothing more. */
const TELL_AGAIN = { autoClose: "1800s" };

/** @returns the alerts of a catalog, the worst first */
const alertsOf = (catalog: readonly FunctionSpec[]): Alert[] => {
  const services = catalog.map(({ name }) => serviceName(name));
  const callers = catalog.filter((spec) => spec.public).map(({ name }) => serviceName(name));
  const sweeps = catalog.filter(
    ({ trigger }) => trigger.kind === "schedule" && trigger.everySec <= 300,
  );
  const subscriptions = onTopics(catalog).map(({ name }) => subscriptionName(name));
  const jobs = stageJobs(catalog).map(({ name }) => name);
  return [
    {
      slug: "api-errors",
      displayName: "KlipStream: callers get errors",
      text: "More than a few requests a minute end with a status of 500 or above. Look at the logs of the service that is named; if a new revision has just taken over, give the traffic back to the one before.",
      conditions: [
        threshold(
          "5xx answers",
          `${RUN} AND metric.type="run.googleapis.com/request_count" AND metric.labels.response_code_class="5xx" AND ${oneOf(SERVICE.replace(".label.", ".labels."), callers)}`,
          { over: 0.1, forSec: 300, aligner: "ALIGN_RATE", groupBy: SERVICE },
        ),
      ],
    },
    {
      slug: "sweep-stopped",
      displayName: "KlipStream: sweep does not run",
      text: "Sweep has not answered for ten minutes: lost messages stay lost and webhooks wait. Look at the job in Cloud Scheduler (paused?) and at the service's logs.",
      conditions: sweeps.map(({ name }) => ({
        displayName: `no answers of ${name}`,
        conditionAbsent: {
          filter: `${RUN} AND metric.type="run.googleapis.com/request_count" AND metric.labels.response_code_class="2xx" AND resource.labels.service_name="${serviceName(name)}"`,
          duration: "600s",
          aggregations: [
            {
              alignmentPeriod: "60s",
              perSeriesAligner: "ALIGN_RATE",
              crossSeriesReducer: "REDUCE_SUM",
            },
          ],
        },
      })),
    },
    {
      slug: "dead-letters",
      displayName: "KlipStream: messages are given up",
      text: "Pub/Sub gave a message up after all its attempts; its task fails. The logs of dead-letter name the job. Usually a function has been failing, or has had no instance, for hours.",
      conditions: [
        threshold(
          "messages to the dead-letter topic",
          `resource.type="pubsub_topic" AND metric.type="pubsub.googleapis.com/topic/send_request_count" AND resource.labels.topic_id="${DEAD_LETTER_TOPIC}"`,
          { over: 0, forSec: 0, aligner: "ALIGN_DELTA" },
        ),
      ],
      strategy: TELL_AGAIN,
    },
    {
      slug: "job-executions",
      displayName: "KlipStream: an execution of a job failed",
      text: "A Cloud Run job, which runs what outgrew a function, was killed, could not start, or could not settle its task. The task is tried again by itself. If it comes again, look at the execution: gcloud run jobs executions list.",
      conditions: [
        threshold(
          "failed executions",
          `resource.type="cloud_run_job" AND metric.type="run.googleapis.com/job/completed_execution_count" AND metric.labels.result="failed" AND ${oneOf("resource.labels.job_name", jobs)}`,
          { over: 0, forSec: 0, aligner: "ALIGN_DELTA", groupBy: "resource.label.job_name" },
        ),
      ],
      strategy: TELL_AGAIN,
    },
    {
      slug: "backlog",
      displayName: "KlipStream: messages wait",
      text: "The oldest message of a subscription has waited for half an hour. Either the stage fails again and again (its logs), or there are too few instances (raise its maxInstances in functions/catalog.ts, or lower MAX_RUNNING_JOBS).",
      conditions: [
        threshold(
          "age of the oldest message",
          `${SUBSCRIPTION} AND metric.type="pubsub.googleapis.com/subscription/oldest_unacked_message_age" AND ${oneOf("resource.labels.subscription_id", subscriptions)}`,
          {
            over: 1800,
            forSec: 300,
            aligner: "ALIGN_MAX",
            reducer: "REDUCE_MAX",
            groupBy: "resource.label.subscription_id",
          },
        ),
      ],
    },
    {
      slug: "no-instance",
      displayName: "KlipStream: refused for want of an instance",
      text: "Cloud Run answers 429: all instances that are allowed are at work. It is harmless for some minutes, as messages come again. If it lasts, raise maxInstances of the service, or the project's quota.",
      conditions: [
        threshold(
          "429 answers",
          `${RUN} AND metric.type="run.googleapis.com/request_count" AND metric.labels.response_code="429" AND ${oneOf("resource.labels.service_name", services)}`,
          { over: 1, forSec: 900, aligner: "ALIGN_RATE", groupBy: SERVICE },
        ),
      ],
    },
    {
      slug: "memory",
      displayName: "KlipStream: short of memory",
      text: "An instance uses more than nine tenths of its memory, and is killed at all of it. Raise memoryMiB of the function in functions/catalog.ts.",
      conditions: [
        threshold(
          "memory in use",
          `${RUN} AND metric.type="run.googleapis.com/container/memory/utilizations" AND ${oneOf("resource.labels.service_name", services)}`,
          {
            over: 0.9,
            forSec: 300,
            aligner: "ALIGN_PERCENTILE_99",
            reducer: "REDUCE_MAX",
            groupBy: SERVICE,
          },
        ),
      ],
    },
    {
      slug: "object-missing",
      displayName: "KlipStream: a stored object is missing",
      text: "The collector found an object referred to that is not in the bucket; the log names it. For a week after it was deleted it can be restored: gcloud storage restore.",
      conditions: [
        {
          displayName: "object missing",
          conditionMatchedLog: {
            filter: `${RUN} AND resource.labels.service_name="${serviceName("collect")}" AND severity>=ERROR AND jsonPayload.message="object missing"`,
          },
        },
      ],
      strategy: { notificationRateLimit: { period: "3600s" }, autoClose: "604800s" },
    },
  ];
};

const CHANNEL = idOf("channel", "email");

/** Told by mail, where there is somebody to tell. */
export const channels = (settings: Settings): Resource[] => {
  const address = settings.alertEmail;
  if (address === undefined) return [];
  return [
    resource({
      kind: "channel",
      name: "email",
      parts: ["monitoring"],
      needs: [apiId("monitoring.googleapis.com")],
      read: gcloud("beta", "monitoring", "channels", "list", "--format=json", inProject(settings)),
      find: (answer) =>
        Array.isArray(answer)
          ? answer.find((item) => textAt(item, "userLabels", LABEL.key) === LABEL.value)
          : undefined,
      differences: (current) =>
        textAt(current, "labels", "email_address") === address ? [] : ["another address"],
      create: () => [
        gcloud(
          "beta",
          "monitoring",
          "channels",
          "create",
          "--display-name=KlipStream",
          "--type=email",
          `--channel-labels=email_address=${address}`,
          `--user-labels=${LABEL.key}=${LABEL.value}`,
          inProject(settings),
        ),
      ],
      update: (current) => [
        gcloud(
          "beta",
          "monitoring",
          "channels",
          "update",
          textAt(current, "name"),
          `--update-channel-labels=email_address=${address}`,
          inProject(settings),
        ),
      ],
      remove: (current) => [
        gcloud(
          "beta",
          "monitoring",
          "channels",
          "delete",
          textAt(current, "name"),
          "--force",
          "--quiet",
          inProject(settings),
        ),
      ],
    }),
  ];
};

export const alerts = (catalog: readonly FunctionSpec[], settings: Settings): Resource[] =>
  alertsOf(catalog).map(({ slug, displayName, text, conditions, strategy }) => {
    const policy = (known: Known): JsonObject => {
      const channel = settings.alertEmail === undefined ? "" : textAt(known.of(CHANNEL), "name");
      const wanted = {
        displayName,
        documentation: { content: text, mimeType: "text/markdown" },
        combiner: "OR",
        conditions,
        ...(strategy === undefined ? {} : { alertStrategy: strategy }),
        notificationChannels: channel === "" ? [] : [channel],
      };
      const userLabels = { [LABEL.key]: LABEL.value, alert: slug, settings: hashOf(wanted) };
      return { ...wanted, userLabels };
    };
    const file = `${slug}.json`;
    const command = (words: readonly string[], known: Known) => ({
      ...gcloud(
        "alpha",
        "monitoring",
        "policies",
        ...words,
        `--policy-from-file={{${file}}}`,
        inProject(settings),
      ),
      files: { [file]: JSON.stringify(policy(known), null, 2) },
    });
    return resource({
      kind: "alert",
      name: slug,
      parts: ["monitoring"],
      needs: [apiId("monitoring.googleapis.com")],
      uses: settings.alertEmail === undefined ? [] : [CHANNEL],
      read: gcloud("alpha", "monitoring", "policies", "list", "--format=json", inProject(settings)),
      find: (answer) =>
        Array.isArray(answer)
          ? answer.find(
              (item) =>
                textAt(item, "userLabels", LABEL.key) === LABEL.value &&
                textAt(item, "userLabels", "alert") === slug,
            )
          : undefined,
      differences: (current, known) =>
        textAt(current, "userLabels", "settings") ===
        textAt(at(policy(known), "userLabels"), "settings")
          ? []
          : ["other settings"],
      create: (known) => [command(["create"], known)],
      update: (current, known) => [command(["update", textAt(current, "name")], known)],
      remove: (current) => [
        gcloud(
          "alpha",
          "monitoring",
          "policies",
          "delete",
          textAt(current, "name"),
          "--quiet",
          inProject(settings),
        ),
      ],
    });
  });

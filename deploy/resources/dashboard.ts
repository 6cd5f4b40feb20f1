// One page on which to see where it stands: what callers get, what waits, what runs.
import type { FunctionSpec } from "#functions/catalog.ts";
import { type JsonObject, at, textAt } from "../json.ts";
import { LABELS, type Resource, gcloud, resource } from "../resource.ts";
import type { Settings } from "../settings.ts";
import { hashOf } from "../sources.ts";
import { inProject } from "../where.ts";
import { apiId } from "./project.ts";
import { onTopics, subscriptionName } from "./topics.ts";

const NAME = "KlipStream";
const WIDTH = 24;
const HEIGHT = 16;

interface Chart {
  title: string;
  filter: string;
  aligner: string;
  reducer: string;
  groupBy: string;
}

const OURS =
  'resource.type="cloud_run_revision" resource.labels.service_name=starts_with("klipstream-")';
const BY_SERVICE = "resource.label.service_name";
const BY_SUBSCRIPTION = "resource.label.subscription_id";

const run = (metric: string): string => `${OURS} metric.type="run.googleapis.com/${metric}"`;

const charts = (catalog: readonly FunctionSpec[]): Chart[] => {
  const names = onTopics(catalog).map(({ name }) => `"${subscriptionName(name)}"`);
  const subscription = (metric: string): string =>
    `resource.type="pubsub_subscription" resource.labels.subscription_id=one_of(${names.join(",")}) metric.type="pubsub.googleapis.com/subscription/${metric}"`;
  return [
    {
      title: "Requests a second, by service and status",
      filter: run("request_count"),
      aligner: "ALIGN_RATE",
      reducer: "REDUCE_SUM",
      groupBy: "metric.label.response_code_class",
    },
    {
      title: "Time of a request, 95th percentile",
      filter: run("request_latencies"),
      aligner: "ALIGN_PERCENTILE_95",
      reducer: "REDUCE_MAX",
      groupBy: BY_SERVICE,
    },
    {
      title: "Messages that wait",
      filter: subscription("num_undelivered_messages"),
      aligner: "ALIGN_MEAN",
      reducer: "REDUCE_SUM",
      groupBy: BY_SUBSCRIPTION,
    },
    {
      title: "Age of the oldest message, seconds",
      filter: subscription("oldest_unacked_message_age"),
      aligner: "ALIGN_MAX",
      reducer: "REDUCE_MAX",
      groupBy: BY_SUBSCRIPTION,
    },
    {
      title: "Instances",
      filter: run("container/instance_count"),
      aligner: "ALIGN_MAX",
      reducer: "REDUCE_SUM",
      groupBy: BY_SERVICE,
    },
    {
      title: "Memory in use, 99th percentile",
      filter: run("container/memory/utilizations"),
      aligner: "ALIGN_PERCENTILE_99",
      reducer: "REDUCE_MAX",
      groupBy: BY_SERVICE,
    },
    {
      title: "Time from start to first answer, 95th percentile",
      filter: run("container/startup_latencies"),
      aligner: "ALIGN_PERCENTILE_95",
      reducer: "REDUCE_MAX",
      groupBy: BY_SERVICE,
    },
    {
      title: "Seconds of instances paid for",
      filter: run("container/billable_instance_time"),
      aligner: "ALIGN_RATE",
      reducer: "REDUCE_SUM",
      groupBy: BY_SERVICE,
    },
  ];
};

const tile = ({ title, filter, aligner, reducer, groupBy }: Chart, index: number): JsonObject => ({
  xPos: (index % 2) * WIDTH,
  yPos: Math.floor(index / 2) * HEIGHT,
  width: WIDTH,
  height: HEIGHT,
  widget: {
    title,
    xyChart: {
      dataSets: [
        {
          plotType: "LINE",
          timeSeriesQuery: {
            timeSeriesFilter: {
              filter,
              aggregation: {
                alignmentPeriod: "60s",
                perSeriesAligner: aligner,
                crossSeriesReducer: reducer,
                groupByFields: [groupBy],
              },
            },
          },
        },
      ],
    },
  },
});

export const dashboard = (catalog: readonly FunctionSpec[], settings: Settings): Resource => {
  const project = inProject(settings);
  const mosaicLayout = { columns: 2 * WIDTH, tiles: charts(catalog).map(tile) };
  const labels = { ...LABELS, settings: hashOf(mosaicLayout) };
  const wanted = { displayName: NAME, labels, mosaicLayout };
  const write = (words: readonly string[], content: JsonObject) => [
    {
      ...gcloud(
        "monitoring",
        "dashboards",
        ...words,
        "--config-from-file={{dashboard.json}}",
        project,
      ),
      files: { "dashboard.json": JSON.stringify(content, null, 2) },
    },
  ];
  return resource({
    kind: "dashboard",
    name: NAME,
    parts: ["monitoring"],
    needs: [apiId("monitoring.googleapis.com")],
    read: gcloud("monitoring", "dashboards", "list", "--format=json", project),
    find: (answer) =>
      Array.isArray(answer)
        ? answer.find((item) => at(item, "labels", "app") === LABELS["app"])
        : undefined,
    differences: (current) =>
      textAt(current, "labels", "settings") === labels.settings ? [] : ["other charts"],
    create: () => write(["create"], wanted),
    update: (current) =>
      write(["update", textAt(current, "name")], { ...wanted, etag: textAt(current, "etag") }),
    remove: (current) => [
      gcloud("monitoring", "dashboards", "delete", textAt(current, "name"), "--quiet", project),
    ],
  });
};

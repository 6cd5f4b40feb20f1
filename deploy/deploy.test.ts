// What a run does to a project: the stand-in for Google Cloud keeps what the commands make.
import { beforeEach, describe, expect, it } from "vitest";
import { CATALOG } from "#functions/catalog.ts";
import { STAGES } from "#shared/contract/stages.ts";
import { NotAllDone } from "./apply.ts";
import { type State, emptyState } from "./shim/state.ts";
import { GIVEN, SMALL, SOURCES, type TurnOptions, applyTo, removeFrom } from "./shim/world.ts";

const HOST = "sample-project.iam.gserviceaccount.com";

let state: State;
beforeEach(() => {
  state = emptyState();
});

interface JobItem {
  spec: { template: { spec: { template: { spec: object } } } };
}

/** What was changed, as `update service klipstream-media`. */
const changed = async (options: TurnOptions = {}): Promise<string[]> =>
  (await applyTo(state, options)).changes
    .map(({ kind, resource }) => `${kind} ${resource.id}`)
    .toSorted();

const sorted = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(record).toSorted(([a], [b]) => a.localeCompare(b));

/** Everything but the order it came in and the numbers that were given out. */
const contentOf = ({ items, policies, apis, convex }: State): unknown => {
  const text = JSON.stringify({
    items: sorted(items),
    policies: sorted(policies).map(([on, { bindings }]) => [
      on,
      bindings.map((one) => JSON.stringify(one)).toSorted(),
    ]),
    apis: apis.toSorted(),
    variables: sorted(convex.variables),
  });
  return JSON.parse(text.replaceAll(/1000000000000000000\d+/g, "N"));
};

it("the first run creates, the second changes nothing", async () => {
  const first = await applyTo(state);
  expect(first.changes.length).toBeGreaterThan(100);
  const made = structuredClone(state);
  const second = await applyTo(state);
  expect(second.changes.map(({ differences }) => differences)).toEqual([]);
  expect(second.tools.mutations).toEqual([]);
  expect(state).toEqual(made);
});

it("cut off at any change, the next run comes to the same end", async () => {
  const release = SMALL;
  const { tools } = await applyTo(state, { release });
  const whole = contentOf(state);
  for (let failAt = 1; failAt <= tools.mutations.length; failAt += 1) {
    const cut = emptyState();
    await expect(applyTo(cut, { release, failAt }), `change ${failAt}`).rejects.toThrow(NotAllDone);
    await applyTo(cut, { release });
    expect(contentOf(cut), `after change ${failAt}`).toEqual(whole);
  }
});

describe("destroy", () => {
  beforeEach(async () => {
    await applyTo(state);
  });

  it("leaves none", async () => {
    await removeFrom(state);
    expect(state.items).toEqual({});
    expect(state.policies).toEqual({});
  });

  it("that is cut off goes on", async () => {
    await expect(removeFrom(state, { failAt: 30 })).rejects.toThrow(NotAllDone);
    await removeFrom(state);
    expect(state.items).toEqual({});
  });
});

describe("a changed setting changes only its own", () => {
  beforeEach(async () => {
    await applyTo(state);
  });

  const services = [
    ...CATALOG.map(({ name }) => `update service klipstream-${name}`),
    ...STAGES.map((name) => `update job klipstream-${name}`),
  ];
  const CASES: [what: string, options: TurnOptions, expected: string[]][] = [
    [
      "a new key: its secret, and the function and the job that use it",
      { given: { ...GIVEN, OPENAI_API_KEY: "sk-2" } },
      [
        "update secret version klipstream-openai-api-key",
        "update service klipstream-transcribe",
        "update job klipstream-transcribe",
      ],
    ],
    [
      "origins of pages: the bucket",
      { given: { ...GIVEN, WEB_ORIGINS: "https://example.com" } },
      ["update bucket sample-project-klipstream"],
    ],
    [
      "a limit of the database: its variables",
      { given: { ...GIVEN, MAX_RUNNING_JOBS: "10" } },
      ["update database variables"],
    ],
    [
      "who may sign in: the variables, and all that read them",
      { given: { ...GIVEN, OIDC_ISSUERS: "https://login.example.com" } },
      ["update database variables", "update database functions convex/", ...services],
    ],
    [
      "somebody else to tell: the channel",
      { given: { ...GIVEN, ALERT_EMAIL: "night@example.com" } },
      ["update channel email"],
    ],
    [
      "other code of the database: its functions",
      { sources: { ...SOURCES, database: "b2" } },
      ["update database functions convex/"],
    ],
    [
      "other code of the functions: an image, all services and all jobs",
      { sources: { ...SOURCES, image: "a2" } },
      [
        "create image us-central1-docker.pkg.dev/sample-project/klipstream/functions:a2",
        ...services,
      ],
    ],
  ];
  it.each(CASES)("%s", async (_what, options, expected) => {
    expect(await changed(options)).toEqual(expected.toSorted());
    expect(await changed(options)).toEqual([]);
  });
});

it("makes transcribe and its job large where whisper may listen, and small elsewhere", async () => {
  const limits = () =>
    ["service", "run-job"].map((kind) => {
      const item = JSON.stringify(state.items[`${kind} klipstream-transcribe`]);
      return /"limits":({[^}]*})/.exec(item)?.[1];
    });
  await applyTo(state, { release: SMALL });
  expect(limits()).toEqual(['{"cpu":"1","memory":"1024Mi"}', '{"cpu":"1","memory":"4096Mi"}']);
  const given = { ...GIVEN, WHISPER_MODEL: "/models/base.bin" };
  await applyTo(state, { release: SMALL, given });
  expect(limits()).toEqual(['{"cpu":"4","memory":"4096Mi"}', '{"cpu":"8","memory":"16384Mi"}']);
});

describe("what was changed by hand is put right", () => {
  beforeEach(async () => {
    await applyTo(state);
  });

  const CASES: [what: string, hand: () => void, expected: string][] = [
    [
      "an ack deadline",
      () => Object.assign(state.items["subscription media-push"] ?? {}, { ackDeadlineSeconds: 10 }),
      "update subscription media-push",
    ],
    [
      "a right taken away",
      () => delete state.policies["service klipstream-media"],
      "update access service klipstream-media",
    ],
    [
      "a job of another size",
      () => {
        const { spec } = state.items["run-job klipstream-clips"] as unknown as JobItem;
        Object.assign(spec.template.spec.template.spec, { timeoutSeconds: "600" });
      },
      "update job klipstream-clips",
    ],
    [
      "a revision that does not start",
      () =>
        Object.assign(state.items["service klipstream-clips"]?.["status"] ?? {}, {
          conditions: [{ type: "Ready", status: "False" }],
        }),
      "update service klipstream-clips",
    ],
    ["a topic deleted", () => delete state.items["topic chat"], "create topic chat"],
  ];
  it.each(CASES)("%s", async (_what, hand, expected) => {
    hand();
    expect(await changed()).toContain(expected);
    expect(await changed()).toEqual([]);
  });
});

describe("rights", () => {
  const granted = () =>
    Object.entries(state.policies).flatMap(([on, { bindings }]) =>
      bindings.flatMap(({ role, members }) =>
        members.map((who) => ({ who, what: `${role.replace("roles/", "")} ${on}` })),
      ),
    );
  const of = (account: string): string[] =>
    granted()
      .filter(({ who }) => who === `serviceAccount:klipstream-${account}@${HOST}`)
      .map(({ what }) => what)
      .toSorted();
  const publishes = [...STAGES, "notify"].map((topic) => `pubsub.publisher topic ${topic}`);

  beforeEach(async () => {
    await applyTo(state);
  });

  it("Pub/Sub makes the tokens of pushes, and hands over what it gives up", () => {
    const agent = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com";
    const subscriptions = [...STAGES, "notify"].map(
      (name) => `pubsub.subscriber subscription ${name}-push`,
    );
    const has = granted().filter(({ who }) => who === agent);
    expect(has.map(({ what }) => what).toSorted()).toEqual(
      [
        ...subscriptions,
        "pubsub.publisher topic dead-letter",
        `iam.serviceAccountTokenCreator account klipstream-push@${HOST}`,
      ].toSorted(),
    );
  });

  it("only what the catalog calls public is open to everybody", () => {
    const open = granted().filter(({ who }) => who.startsWith("all"));
    expect(open.map(({ what }) => what).toSorted()).toEqual([
      "run.invoker service klipstream-status",
      "run.invoker service klipstream-submit",
    ]);
  });

  it("who calls for Pub/Sub and Scheduler may call the private functions, and nothing else", () => {
    const names = CATALOG.filter((spec) => !spec.public).map(({ name }) => name);
    expect(of("push")).toEqual(
      names.map((name) => `run.invoker service klipstream-${name}`).toSorted(),
    );
  });

  it("who answers callers reads and adds objects, publishes and signs", () => {
    const own = [
      `iam.serviceAccountTokenCreator account klipstream-api@${HOST}`,
      "storage.objectCreator bucket sample-project-klipstream",
      "storage.objectViewer bucket sample-project-klipstream",
    ];
    expect(of("api")).toEqual([...publishes, ...own].toSorted());
  });

  it("workers change objects, publish, sign, read the keys they use, and run the stages' jobs", () => {
    const own = [
      ...STAGES.map((name) => `run.jobsExecutorWithOverrides run-job klipstream-${name}`),
      `iam.serviceAccountTokenCreator account klipstream-worker@${HOST}`,
      "secretmanager.secretAccessor secret klipstream-deepgram-api-key",
      "secretmanager.secretAccessor secret klipstream-openai-api-key",
      "speech.client project sample-project",
      "storage.objectUser bucket sample-project-klipstream",
    ];
    expect(of("worker")).toEqual([...publishes, ...own].toSorted());
  });

  it("builds read the sources, write the registry and log", () => {
    expect(of("build")).toEqual([
      "artifactregistry.writer repository klipstream",
      "logging.logWriter project sample-project",
      "storage.objectViewer bucket sample-project-klipstream",
    ]);
    const [binding] = state.policies["bucket sample-project-klipstream"]?.bindings.filter(
      ({ condition }) => condition !== undefined,
    ) ?? [undefined];
    expect(binding?.condition).toMatchObject({
      expression: expect.stringContaining("objects/tmp/source/") as string,
    });
  });

  it("the database knows the pipeline by the numbers of its accounts", () => {
    const ids = ["api", "worker"].map((account) =>
      String(state.items[`account klipstream-${account}@${HOST}`]?.["uniqueId"]),
    );
    expect(state.convex.variables["SERVICE_TOKEN_IDENTIFIERS"]).toBe(
      ids.map((id) => `https://accounts.google.com|${id}`).join(","),
    );
  });
});

it("leaves what somebody else has under one of its names", async () => {
  state.apis = ["pubsub.googleapis.com"];
  state.items["topic media"] = { name: "projects/sample-project/topics/media" };
  await expect(applyTo(state)).rejects.toThrow(/topic media is there already/);
  await removeFrom(state);
  expect(Object.keys(state.items)).toEqual(["topic media"]);
});

it("a release stands beside the old one until it is given the traffic, and leads back", async () => {
  const release = (tag: string): TurnOptions => ({
    given: { ...GIVEN, IMAGE: `example.com/klipstream/functions:${tag}` },
    release: { tag },
  });
  const traffic = (): unknown =>
    (state.items["service klipstream-media"] as { status: { traffic: unknown } }).status.traffic;
  const all = (tag: string) => [{ percent: 100, revisionName: `klipstream-media-${tag}` }];

  await applyTo(state, release("c1"));
  expect(traffic()).toMatchObject(all("c1"));
  await applyTo(state, release("c2"));
  const none = { revisionName: "klipstream-media-c2", tag: "c2" };
  expect(traffic()).toMatchObject([...all("c1"), none]);
  expect(await changed(release("c2"))).toEqual([]);
  for (const tag of ["c2", "c1"]) {
    await applyTo(state, { release: { traffic: tag } });
    expect(traffic()).toMatchObject(all(tag));
    expect(await changed({ release: { traffic: tag } })).toEqual([]);
  }
});

// Stands for the part of Cloud Run that runs jobs: answers `jobs.run` of the Admin API, and starts
// each execution in a process of its own. As on Cloud Run, what is asked for is answered before it
// begins, and executions wait while too many are at work.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { FunctionSpec, JobSize } from "#functions/catalog.ts";
import { taskJobName } from "#shared/cloud/taskJobs.ts";
import { STAGES } from "#shared/contract/stages.ts";
import { answerJson, listen, pathOf, readBody, stop } from "../httpServer.ts";
import { type OwnProcess, type ProcessOptions, startProcess } from "../ownProcess.ts";
import { readJobName, readOverrides } from "./request.ts";

export interface RunJobsOptions {
  catalog: readonly FunctionSpec[];
  projectId: string;
  region: string;
  /** E-mail of the account that an access token was given to; undefined for one that is not good. */
  accountOf(token: string): string | undefined;
  /** Accounts that may run the jobs with overrides. */
  executors: readonly string[];
  /** The whole environment of a process, but for what Cloud Run itself says and what is overridden. */
  environment(spec: FunctionSpec): Record<string, string>;
  output(spec: FunctionSpec): ProcessOptions["output"];
  scratchRoot: string;
  /** What an execution runs; default the sources under this very Node. */
  command?: readonly string[];
  /** Executions at work at once; default as many as there are cores, at least 2. */
  maxExecutions?: number;
  /** Between SIGTERM and SIGKILL; default 10 s. */
  graceMs?: number;
}

export interface Execution {
  /** The function whose job it is of. */
  function: string;
  /** Such as `klipstream-media-1f2e3`. */
  name: string;
  /** 0 while it waits for its turn. */
  pid: number;
}

export interface RunJobs {
  /** For `RUN_EMULATOR_HOST`. */
  origin: string;
  /** Those that have not ended. */
  executions(): Execution[];
  /** SIGTERM to all, SIGKILL to those left after the grace; those that wait never begin. */
  close(): Promise<void>;
}

const COMMAND = [
  process.execPath,
  "--import",
  new URL("../front/preload.ts", import.meta.url).href,
  fileURLToPath(new URL("host.ts", import.meta.url)),
];
const MAX_BODY_BYTES = 64 * 1024;

type Job = FunctionSpec & { job: JobSize };

/** An answer that is an error, in Google's words. */
class Refused extends Error {
  readonly code: number;
  readonly status: string;
  constructor(code: number, status: string, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export const startRunJobs = async (options: RunJobsOptions): Promise<RunJobs> => {
  const { projectId, region, command = COMMAND, graceMs = 10_000 } = options;
  const maxExecutions = options.maxExecutions ?? Math.max(2, availableParallelism());
  const parent = `projects/${projectId}/locations/${region}`;
  const jobs = new Map<string, Job>();
  for (const stage of STAGES) {
    const spec = options.catalog.find(({ name }) => name === stage);
    if (spec?.job) jobs.set(`${parent}/jobs/${taskJobName(stage)}`, { ...spec, job: spec.job });
  }
  const executions = new Set<Execution>();
  const processes = new Set<OwnProcess>();
  const waiting: (() => Promise<void>)[] = [];
  let atWork = 0;
  let isClosed = false;

  const begin = async (
    spec: Job,
    execution: Execution,
    env: Record<string, string>,
  ): Promise<void> => {
    const own = await startProcess({
      command,
      env: {
        ...options.environment(spec),
        FUNCTION_TARGET: spec.name,
        CLOUD_RUN_JOB: execution.name.replace(/-[^-]+$/, ""),
        CLOUD_RUN_EXECUTION: execution.name,
        CLOUD_RUN_TASK_INDEX: "0",
        CLOUD_RUN_TASK_COUNT: "1",
        CLOUD_RUN_TASK_ATTEMPT: "0",
        ...env,
      },
      output: options.output(spec),
      scratchRoot: options.scratchRoot,
    });
    execution.pid = own.pid;
    processes.add(own);
    if (isClosed) void own.stop(0);
    const timer = setTimeout(() => void own.stop(graceMs), spec.job.timeoutSec * 1000);
    await own.ended;
    clearTimeout(timer);
    processes.delete(own);
  };

  const next = (): void => {
    if (isClosed || atWork >= maxExecutions) return;
    const run = waiting.shift();
    if (!run) return;
    atWork += 1;
    void run()
      .catch((error: unknown) => console.error("run jobs:", error))
      .finally(() => {
        atWork -= 1;
        next();
      });
  };

  const checkAccess = ({ headers }: IncomingMessage, jobName: string): void => {
    const token = /^bearer ([^ ]+)$/i.exec(headers.authorization ?? "")?.[1];
    const email = token === undefined ? undefined : options.accountOf(token);
    if (email === undefined) {
      throw new Refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.");
    }
    if (options.executors.includes(email)) return;
    const message = `Permission 'run.jobs.runWithOverrides' denied on resource '${jobName}'.`;
    throw new Refused(403, "PERMISSION_DENIED", message);
  };

  /** @returns the operation, as the API says it */
  const run = async (request: IncomingMessage): Promise<unknown> => {
    const jobName = request.method === "POST" ? readJobName(pathOf(request)) : null;
    if (jobName === null) throw new Refused(404, "NOT_FOUND", "There is nothing here.");
    checkAccess(request, jobName);
    const spec = jobs.get(jobName);
    if (!spec) throw new Refused(404, "NOT_FOUND", `Resource '${jobName}' was not found.`);
    const body = await readBody(request, MAX_BODY_BYTES);
    if (!body) throw new Refused(400, "INVALID_ARGUMENT", "The body is too large.");
    let env: Record<string, string>;
    try {
      env = readOverrides(body.toString("utf8"));
    } catch (error) {
      throw new Refused(400, "INVALID_ARGUMENT", String(error));
    }
    const name = `${jobName.split("/").at(-1)}-${randomUUID().slice(0, 5)}`;
    const execution: Execution = { function: spec.name, name, pid: 0 };
    executions.add(execution);
    waiting.push(() =>
      begin(spec, execution, env).finally(() => void executions.delete(execution)),
    );
    next();
    return {
      name: `${parent}/operations/${randomUUID()}`,
      metadata: {
        "@type": "type.googleapis.com/google.cloud.run.v2.Execution",
        name: `${jobName}/executions/${name}`,
      },
      done: false,
    };
  };

  const server = createServer((request, response) => {
    run(request)
      .then((operation) => answerJson(response, operation))
      .catch((error: unknown) => {
        if (!(error instanceof Refused)) console.error("run jobs:", error);
        const { code, status, message } =
          error instanceof Refused ? error : new Refused(500, "INTERNAL", String(error));
        answerJson(response, { error: { code, status, message } }, code);
      });
  });
  const origin = await listen(server);

  return {
    origin,
    executions: () => [...executions],
    close: async () => {
      isClosed = true;
      await stop(server);
      await Promise.all([...processes].map((own) => own.stop(graceMs)));
    },
  };
};

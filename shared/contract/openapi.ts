// OpenAPI 3.1 of the HTTP API, generated from the schemas that the functions parse with.
import { z } from "zod";
import {
  AnalysisRequest,
  AnalysisResponse,
  ListFilesQuery,
  ListFilesResponse,
  ListQuery,
  ListResponse,
  Problem,
  RetryQuery,
  StatusResponse,
  UploadRequest,
  UploadResponse,
  WebhookSecretResponse,
} from "./api.ts";
import { ERROR_TYPES } from "./errors.ts";

interface Operation {
  method: "get" | "post";
  path: string;
  id: string;
  summary: string;
  description?: string;
  headers?: Record<string, string>;
  query?: z.ZodObject;
  body?: z.ZodType;
  answer: { status: number; description: string; schema?: z.ZodType; contentType?: string };
  /** Further statuses that are no errors, of the same schema where there is a body. */
  others?: Record<number, string>;
  /** Needs neither key nor token. */
  open?: boolean;
}

const IDEMPOTENCY_KEY = {
  "Idempotency-Key": "Same key and same body give the same answer; another body gives 422.",
};

const OPERATIONS: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/analysis",
    id: "startAnalysis",
    summary: "Hand over a video",
    description: "Answers at once; the analysis goes on by itself.",
    headers: IDEMPOTENCY_KEY,
    body: AnalysisRequest,
    answer: { status: 202, description: "The job, queued.", schema: AnalysisResponse },
  },
  {
    method: "get",
    path: "/v1/analysis",
    id: "listAnalyses",
    summary: "List one's jobs, newest first",
    query: ListQuery,
    answer: { status: 200, description: "A page of jobs.", schema: ListResponse },
  },
  {
    method: "get",
    path: "/v1/analysis/{job_id}/status",
    id: "getStatus",
    summary: "State, progress, warnings, error and outputs of a job",
    answer: { status: 200, description: "The job.", schema: StatusResponse },
  },
  {
    method: "get",
    path: "/v1/analysis/{job_id}/stream",
    id: "streamStatus",
    summary: "Follow a job by server-sent events",
    description: "Each event's id is its number; ends after the job's last event.",
    headers: { "Last-Event-ID": "Resumes after this event." },
    answer: { status: 200, description: "The events.", contentType: "text/event-stream" },
    others: { 204: "The job's last event was that one." },
  },
  {
    method: "get",
    path: "/v1/analysis/{job_id}/outputs/{name}",
    id: "getOutput",
    summary: "One output",
    description: "A slash in the name, as in `clips/01.mp4`, may stand as it is or as %2F.",
    answer: { status: 302, description: "A fresh signed address." },
  },
  {
    method: "post",
    path: "/v1/analysis/{job_id}/cancel",
    id: "cancelAnalysis",
    summary: "Cancel a job",
    answer: { status: 200, description: "The job.", schema: StatusResponse },
  },
  {
    method: "post",
    path: "/v1/analysis/{job_id}/retry",
    id: "retryAnalysis",
    summary: "Run a job again from the stage that failed, or from the one named",
    query: RetryQuery,
    answer: { status: 202, description: "The job.", schema: StatusResponse },
  },
  {
    method: "post",
    path: "/v1/uploads",
    id: "createUpload",
    summary: "Start the upload of a local file",
    body: UploadRequest,
    answer: { status: 201, description: "Where to send it.", schema: UploadResponse },
  },
  {
    method: "post",
    path: "/v1/run_pipeline",
    id: "runPipeline",
    summary: "Hand over a video and wait for the result",
    description: "Kept for callers of the former service.",
    headers: IDEMPOTENCY_KEY,
    body: AnalysisRequest,
    answer: { status: 200, description: "The job, ended.", schema: StatusResponse },
    others: { 202: "The job as it stands: it takes longer than a request may, and goes on." },
  },
  {
    method: "get",
    path: "/v1/webhook_secret",
    id: "getWebhookSecret",
    summary: "What to verify the events at one's `callback_url` with",
    description: "Events follow the Standard Webhooks specification.",
    answer: { status: 200, description: "The secret.", schema: WebhookSecretResponse },
  },
  {
    method: "get",
    path: "/v1/list_files",
    id: "listFiles",
    summary: "Outputs of one's latest jobs, or of one job",
    query: ListFilesQuery,
    answer: { status: 200, description: "The files.", schema: ListFilesResponse },
  },
  {
    method: "get",
    path: "/v1/list_output_files",
    id: "listOutputFiles",
    summary: "Outputs of one's latest jobs, or of one job",
    query: ListFilesQuery,
    answer: { status: 200, description: "The files.", schema: ListFilesResponse },
  },
  {
    method: "get",
    path: "/health",
    id: "health",
    summary: "Whether the service answers",
    open: true,
    answer: { status: 200, description: "It does.", schema: z.object({ status: z.literal("ok") }) },
  },
];

const json = (schema: z.ZodType, io: "input" | "output") => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: "draft-2020-12" });
  return rest;
};

const parameters = (operation: Operation) => [
  ...[...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  })),
  ...Object.entries(operation.headers ?? {}).map(([name, description]) => ({
    name,
    in: "header",
    description,
    schema: { type: "string" },
  })),
  ...Object.entries(operation.query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    schema: json(schema as z.ZodType, "input"),
  })),
];

const describe = (operation: Operation, elsewhere: string | undefined) => {
  const { answer } = operation;
  const contentType = answer.contentType ?? "application/json";
  const content = answer.schema
    ? { [contentType]: { schema: json(answer.schema, "output") } }
    : answer.contentType
      ? { [contentType]: {} }
      : undefined;
  return {
    operationId: operation.id,
    summary: operation.summary,
    ...(operation.description ? { description: operation.description } : {}),
    ...(operation.open ? { security: [] } : {}),
    ...(elsewhere === undefined ? {} : { servers: [{ url: elsewhere }] }),
    parameters: parameters(operation),
    ...(operation.body
      ? {
          requestBody: {
            required: true,
            content: { "application/json": { schema: json(operation.body, "input") } },
          },
        }
      : {}),
    responses: {
      [answer.status]: { description: answer.description, ...(content ? { content } : {}) },
      ...Object.fromEntries(
        Object.entries(operation.others ?? {}).map(([status, description]) => [
          status,
          { description, ...(content && status !== "204" ? { content } : {}) },
        ]),
      ),
      default: { $ref: "#/components/responses/Problem" },
    },
  };
};

/**
 * @param serverUrl where callers reach the service
 * @param serverOf  where they reach one path of it; default there
 */
export const openApi = (
  serverUrl: string,
  serverOf: (method: "GET" | "POST", path: string) => string = () => serverUrl,
): Record<string, unknown> => {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] ??= {};
    const server = serverOf(operation.method === "get" ? "GET" : "POST", operation.path);
    const elsewhere = server === serverUrl ? undefined : server;
    paths[operation.path]![operation.method] = describe(operation, elsewhere);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "KlipStream",
      version: "1",
      description: `Every path answers without /v1 too. Error types: ${ERROR_TYPES.join(", ")}.`,
    },
    servers: [{ url: serverUrl }],
    security: [{ bearer: [] }, { key: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An API key or an OIDC token." },
        key: { type: "apiKey", in: "header", name: "X-API-Key", description: "An API key." },
      },
      responses: {
        Problem: {
          description: "What is wrong, as RFC 9457 has it.",
          content: { "application/problem+json": { schema: json(Problem, "output") } },
        },
      },
    },
  };
};

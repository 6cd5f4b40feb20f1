// One request to run a job, read as Cloud Run's Admin API (v2) reads it, as far as it is used: a field
// that is not here would be a slip.
import { z } from "zod";

const Variable = z.strictObject({ name: z.string().min(1), value: z.string() });
const Body = z.strictObject({
  overrides: z
    .strictObject({
      containerOverrides: z.array(z.strictObject({ env: z.array(Variable) })).max(1),
    })
    .optional(),
});

/** @returns `projects/P/locations/L/jobs/J`; null where the path is no job's */
export const readJobName = (path: string): string | null =>
  /^\/v2\/(projects\/[\w-]+\/locations\/[\w-]+\/jobs\/[\w-]+):run$/.exec(path)?.[1] ?? null;

/** @throws {Error} for what the API would answer 400 to */
export const readOverrides = (body: string): Record<string, string> => {
  const { overrides } = Body.parse(JSON.parse(body || "{}"));
  const [container] = overrides?.containerOverrides ?? [];
  return Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
};

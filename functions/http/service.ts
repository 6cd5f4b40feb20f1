// What the HTTP functions share: who calls, where the service is, and a job of the caller's own.
import type { z } from "zod";
import type { OutputLink } from "#shared/contract/api.ts";
import { StageError } from "#shared/contract/errors.ts";
import type { JobView } from "#shared/contract/ledger.ts";
import { jobOutputs } from "#shared/jobs/outputs.ts";
import type { OwnedJob } from "#shared/jobs/ledger.ts";
import type { Runtime } from "#functions/runtime.ts";
import { createAuthenticate } from "./caller.ts";
import type { Call } from "./router.ts";

/** Where callers reach the functions that anyone may call, without a closing slash. */
export interface Addresses {
  /** Base of the links in answers. */
  status: string;
  /** Often the same, where something stands before both. */
  submit: string;
}

export interface Service {
  ownerOf(call: Call): Promise<string>;
  /** The job that the path names. @throws {StageError} `not_found`, also for somebody else's */
  jobOf(call: Call): Promise<{ job: JobView; owned: OwnedJob }>;
  outputsOf(job: JobView): Promise<z.infer<typeof OutputLink>[]>;
  addresses(call: Call): Addresses;
}

const withoutSlash = (url: string): string => url.replace(/\/$/, "");

/** How long a link in an answer is good for. */
const LINK_SEC = 3600;

export const createService = (runtime: Runtime): Service => {
  const { ledger, config, store } = runtime;
  const authenticate = createAuthenticate({ ledger, oidc: config.oidc });
  const ownerOf = async (call: Call) => (await authenticate(call)).ownerId;
  return {
    ownerOf,
    jobOf: async (call) => {
      const owned = { jobId: call.params["job_id"] ?? "", ownerId: await ownerOf(call) };
      const job = await ledger.job(owned);
      if (!job) throw new StageError("not_found", "There is no such job of yours.");
      return { job, owned };
    },
    outputsOf: (job) => jobOutputs(job, store, LINK_SEC),
    addresses: ({ req }) => {
      const status = config.publicUrl ?? `${req.protocol}://${req.get("host") ?? "localhost"}`;
      return {
        status: withoutSlash(status),
        submit: withoutSlash(config.submitUrl ?? status),
      };
    },
  };
};

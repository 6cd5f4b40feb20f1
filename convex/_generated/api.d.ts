/* eslint-disable */
/**
 * Generated `api` utility.
 *
 * THIS CODE IS AUTOMATICALLY GENERATED.
 *
 * To regenerate, run `npx convex dev`.
 * @module
 */

import type {
  ApiFromModules,
  FilterApi,
  FunctionReference,
} from "convex/server";
import type * as apiKeys from "../apiKeys.js";
import type * as functions from "../functions.js";
import type * as jobs from "../jobs.js";
import type * as ledger from "../ledger.js";
import type * as model_access from "../model/access.js";
import type * as model_admission from "../model/admission.js";
import type * as model_change from "../model/change.js";
import type * as model_contract from "../model/contract.js";
import type * as model_createJob from "../model/createJob.js";
import type * as model_deliveries from "../model/deliveries.js";
import type * as model_env from "../model/env.js";
import type * as model_id from "../model/id.js";
import type * as model_machine_claim from "../model/machine/claim.js";
import type * as model_machine_commit from "../model/machine/commit.js";
import type * as model_machine_draft from "../model/machine/draft.js";
import type * as model_machine_fail from "../model/machine/fail.js";
import type * as model_machine_failure from "../model/machine/failure.js";
import type * as model_machine_hold from "../model/machine/hold.js";
import type * as model_machine_lifecycle from "../model/machine/lifecycle.js";
import type * as model_machine_plan from "../model/machine/plan.js";
import type * as model_machine_state from "../model/machine/state.js";
import type * as model_machine_sweep from "../model/machine/sweep.js";
import type * as model_progress from "../model/progress.js";
import type * as model_retryJob from "../model/retryJob.js";
import type * as model_rollup from "../model/rollup.js";
import type * as model_secret from "../model/secret.js";
import type * as model_store from "../model/store.js";
import type * as model_sweepAll from "../model/sweepAll.js";
import type * as model_upstream from "../model/upstream.js";
import type * as model_video from "../model/video.js";
import type * as model_view from "../model/view.js";
import type * as rollups from "../rollups.js";
import type * as tables_assets from "../tables/assets.js";
import type * as tables_callers from "../tables/callers.js";
import type * as tables_learning from "../tables/learning.js";
import type * as tables_ledger from "../tables/ledger.js";
import type * as tables_library from "../tables/library.js";
import type * as video from "../video.js";
import type * as videos from "../videos.js";
import type * as webhooks from "../webhooks.js";

/**
 * A utility for referencing Convex functions in your app's API.
 *
 * Usage:
 * ```js
 * const myFunctionReference = api.myModule.myFunction;
 * ```
 */
declare const fullApi: ApiFromModules<{
  apiKeys: typeof apiKeys;
  functions: typeof functions;
  jobs: typeof jobs;
  ledger: typeof ledger;
  "model/access": typeof model_access;
  "model/admission": typeof model_admission;
  "model/change": typeof model_change;
  "model/contract": typeof model_contract;
  "model/createJob": typeof model_createJob;
  "model/deliveries": typeof model_deliveries;
  "model/env": typeof model_env;
  "model/id": typeof model_id;
  "model/machine/claim": typeof model_machine_claim;
  "model/machine/commit": typeof model_machine_commit;
  "model/machine/draft": typeof model_machine_draft;
  "model/machine/fail": typeof model_machine_fail;
  "model/machine/failure": typeof model_machine_failure;
  "model/machine/hold": typeof model_machine_hold;
  "model/machine/lifecycle": typeof model_machine_lifecycle;
  "model/machine/plan": typeof model_machine_plan;
  "model/machine/state": typeof model_machine_state;
  "model/machine/sweep": typeof model_machine_sweep;
  "model/progress": typeof model_progress;
  "model/retryJob": typeof model_retryJob;
  "model/rollup": typeof model_rollup;
  "model/secret": typeof model_secret;
  "model/store": typeof model_store;
  "model/sweepAll": typeof model_sweepAll;
  "model/upstream": typeof model_upstream;
  "model/video": typeof model_video;
  "model/view": typeof model_view;
  rollups: typeof rollups;
  "tables/assets": typeof tables_assets;
  "tables/callers": typeof tables_callers;
  "tables/learning": typeof tables_learning;
  "tables/ledger": typeof tables_ledger;
  "tables/library": typeof tables_library;
  video: typeof video;
  videos: typeof videos;
  webhooks: typeof webhooks;
}>;
export declare const api: FilterApi<
  typeof fullApi,
  FunctionReference<any, "public">
>;
export declare const internal: FilterApi<
  typeof fullApi,
  FunctionReference<any, "internal">
>;

export declare const components: {
  "studyPool": import("@convex-dev/workpool/_generated/component.js").ComponentApi<"studyPool">,
  "migrations": import("@convex-dev/migrations/_generated/component.js").ComponentApi<"migrations">,
  "libraryVideos": import("@convex-dev/aggregate/_generated/component.js").ComponentApi<"libraryVideos">,
  "courseEnrollments": import("@convex-dev/aggregate/_generated/component.js").ComponentApi<"courseEnrollments">,
  "itemActivity": import("@convex-dev/aggregate/_generated/component.js").ComponentApi<"itemActivity">,
};

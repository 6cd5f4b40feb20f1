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
import type * as analytics from "../analytics.js";
import type * as apiKeys from "../apiKeys.js";
import type * as assetReferences from "../assetReferences.js";
import type * as assets from "../assets.js";
import type * as assignments from "../assignments.js";
import type * as chapters from "../chapters.js";
import type * as contentItems from "../contentItems.js";
import type * as courseDrafts from "../courseDrafts.js";
import type * as courses from "../courses.js";
import type * as enrollments from "../enrollments.js";
import type * as functions from "../functions.js";
import type * as jobs from "../jobs.js";
import type * as ledger from "../ledger.js";
import type * as migrations from "../migrations.js";
import type * as model_access from "../model/access.js";
import type * as model_admission from "../model/admission.js";
import type * as model_assets_collection from "../model/assets/collection.js";
import type * as model_assets_contents from "../model/assets/contents.js";
import type * as model_assets_name from "../model/assets/name.js";
import type * as model_assets_object from "../model/assets/object.js";
import type * as model_assets_outputs from "../model/assets/outputs.js";
import type * as model_assets_references from "../model/assets/references.js";
import type * as model_assets_removal from "../model/assets/removal.js";
import type * as model_assets_rows from "../model/assets/rows.js";
import type * as model_assets_settle from "../model/assets/settle.js";
import type * as model_assets_status from "../model/assets/status.js";
import type * as model_assets_uploads from "../model/assets/uploads.js";
import type * as model_assets_view from "../model/assets/view.js";
import type * as model_assets_why from "../model/assets/why.js";
import type * as model_change from "../model/change.js";
import type * as model_contract from "../model/contract.js";
import type * as model_createJob from "../model/createJob.js";
import type * as model_deliveries from "../model/deliveries.js";
import type * as model_env from "../model/env.js";
import type * as model_id from "../model/id.js";
import type * as model_learning_aggregates from "../model/learning/aggregates.js";
import type * as model_learning_analytics from "../model/learning/analytics.js";
import type * as model_learning_answers from "../model/learning/answers.js";
import type * as model_learning_assignment from "../model/learning/assignment.js";
import type * as model_learning_attempt from "../model/learning/attempt.js";
import type * as model_learning_chapterEdits from "../model/learning/chapterEdits.js";
import type * as model_learning_checked from "../model/learning/checked.js";
import type * as model_learning_completion from "../model/learning/completion.js";
import type * as model_learning_content from "../model/learning/content.js";
import type * as model_learning_courseView from "../model/learning/courseView.js";
import type * as model_learning_deletion from "../model/learning/deletion.js";
import type * as model_learning_draft from "../model/learning/draft.js";
import type * as model_learning_draftNotes from "../model/learning/draftNotes.js";
import type * as model_learning_draftPlan from "../model/learning/draftPlan.js";
import type * as model_learning_duplicate from "../model/learning/duplicate.js";
import type * as model_learning_enrollment from "../model/learning/enrollment.js";
import type * as model_learning_fields from "../model/learning/fields.js";
import type * as model_learning_forget from "../model/learning/forget.js";
import type * as model_learning_gate from "../model/learning/gate.js";
import type * as model_learning_grading from "../model/learning/grading.js";
import type * as model_learning_itemEdits from "../model/learning/itemEdits.js";
import type * as model_learning_legacyChapter from "../model/learning/legacyChapter.js";
import type * as model_learning_limits from "../model/learning/limits.js";
import type * as model_learning_lists from "../model/learning/lists.js";
import type * as model_learning_marking from "../model/learning/marking.js";
import type * as model_learning_normalizeQuiz from "../model/learning/normalizeQuiz.js";
import type * as model_learning_order from "../model/learning/order.js";
import type * as model_learning_overview from "../model/learning/overview.js";
import type * as model_learning_playback from "../model/learning/playback.js";
import type * as model_learning_progress from "../model/learning/progress.js";
import type * as model_learning_progressView from "../model/learning/progressView.js";
import type * as model_learning_publish from "../model/learning/publish.js";
import type * as model_learning_quiz from "../model/learning/quiz.js";
import type * as model_learning_recount from "../model/learning/recount.js";
import type * as model_learning_resume from "../model/learning/resume.js";
import type * as model_learning_shorten from "../model/learning/shorten.js";
import type * as model_learning_shuffle from "../model/learning/shuffle.js";
import type * as model_learning_stale from "../model/learning/stale.js";
import type * as model_learning_structure from "../model/learning/structure.js";
import type * as model_learning_studyGap from "../model/learning/studyGap.js";
import type * as model_learning_submission from "../model/learning/submission.js";
import type * as model_learning_summary from "../model/learning/summary.js";
import type * as model_library_address from "../model/library/address.js";
import type * as model_library_counts from "../model/library/counts.js";
import type * as model_library_create from "../model/library/create.js";
import type * as model_library_deletion from "../model/library/deletion.js";
import type * as model_library_fields from "../model/library/fields.js";
import type * as model_library_gate from "../model/library/gate.js";
import type * as model_library_generations from "../model/library/generations.js";
import type * as model_library_keepable from "../model/library/keepable.js";
import type * as model_library_list from "../model/library/list.js";
import type * as model_library_oembed from "../model/library/oembed.js";
import type * as model_library_outline from "../model/library/outline.js";
import type * as model_library_publishing from "../model/library/publishing.js";
import type * as model_library_responseBody from "../model/library/responseBody.js";
import type * as model_library_retry from "../model/library/retry.js";
import type * as model_library_search from "../model/library/search.js";
import type * as model_library_status from "../model/library/status.js";
import type * as model_library_study from "../model/library/study.js";
import type * as model_library_studyEndpoint from "../model/library/studyEndpoint.js";
import type * as model_library_transcript from "../model/library/transcript.js";
import type * as model_library_view from "../model/library/view.js";
import type * as model_listing from "../model/listing.js";
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
import type * as model_migrations_batch from "../model/migrations/batch.js";
import type * as model_migrations_location from "../model/migrations/location.js";
import type * as model_migrations_plan from "../model/migrations/plan.js";
import type * as model_migrations_rows from "../model/migrations/rows.js";
import type * as model_migrations_run from "../model/migrations/run.js";
import type * as model_migrations_verify from "../model/migrations/verify.js";
import type * as model_plainValue from "../model/plainValue.js";
import type * as model_progress from "../model/progress.js";
import type * as model_releaseAll from "../model/releaseAll.js";
import type * as model_retryJob from "../model/retryJob.js";
import type * as model_rollup from "../model/rollup.js";
import type * as model_secret from "../model/secret.js";
import type * as model_store from "../model/store.js";
import type * as model_sweepAll from "../model/sweepAll.js";
import type * as model_upstream from "../model/upstream.js";
import type * as model_video from "../model/video.js";
import type * as model_videoJob from "../model/videoJob.js";
import type * as model_view from "../model/view.js";
import type * as model_webAddress from "../model/webAddress.js";
import type * as progress from "../progress.js";
import type * as quizzes from "../quizzes.js";
import type * as rollups from "../rollups.js";
import type * as scenes from "../scenes.js";
import type * as tables_assets from "../tables/assets.js";
import type * as tables_callers from "../tables/callers.js";
import type * as tables_learning from "../tables/learning.js";
import type * as tables_ledger from "../tables/ledger.js";
import type * as tables_library from "../tables/library.js";
import type * as transcripts from "../transcripts.js";
import type * as video from "../video.js";
import type * as videoProcessing from "../videoProcessing.js";
import type * as videoSessions from "../videoSessions.js";
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
  analytics: typeof analytics;
  apiKeys: typeof apiKeys;
  assetReferences: typeof assetReferences;
  assets: typeof assets;
  assignments: typeof assignments;
  chapters: typeof chapters;
  contentItems: typeof contentItems;
  courseDrafts: typeof courseDrafts;
  courses: typeof courses;
  enrollments: typeof enrollments;
  functions: typeof functions;
  jobs: typeof jobs;
  ledger: typeof ledger;
  migrations: typeof migrations;
  "model/access": typeof model_access;
  "model/admission": typeof model_admission;
  "model/assets/collection": typeof model_assets_collection;
  "model/assets/contents": typeof model_assets_contents;
  "model/assets/name": typeof model_assets_name;
  "model/assets/object": typeof model_assets_object;
  "model/assets/outputs": typeof model_assets_outputs;
  "model/assets/references": typeof model_assets_references;
  "model/assets/removal": typeof model_assets_removal;
  "model/assets/rows": typeof model_assets_rows;
  "model/assets/settle": typeof model_assets_settle;
  "model/assets/status": typeof model_assets_status;
  "model/assets/uploads": typeof model_assets_uploads;
  "model/assets/view": typeof model_assets_view;
  "model/assets/why": typeof model_assets_why;
  "model/change": typeof model_change;
  "model/contract": typeof model_contract;
  "model/createJob": typeof model_createJob;
  "model/deliveries": typeof model_deliveries;
  "model/env": typeof model_env;
  "model/id": typeof model_id;
  "model/learning/aggregates": typeof model_learning_aggregates;
  "model/learning/analytics": typeof model_learning_analytics;
  "model/learning/answers": typeof model_learning_answers;
  "model/learning/assignment": typeof model_learning_assignment;
  "model/learning/attempt": typeof model_learning_attempt;
  "model/learning/chapterEdits": typeof model_learning_chapterEdits;
  "model/learning/checked": typeof model_learning_checked;
  "model/learning/completion": typeof model_learning_completion;
  "model/learning/content": typeof model_learning_content;
  "model/learning/courseView": typeof model_learning_courseView;
  "model/learning/deletion": typeof model_learning_deletion;
  "model/learning/draft": typeof model_learning_draft;
  "model/learning/draftNotes": typeof model_learning_draftNotes;
  "model/learning/draftPlan": typeof model_learning_draftPlan;
  "model/learning/duplicate": typeof model_learning_duplicate;
  "model/learning/enrollment": typeof model_learning_enrollment;
  "model/learning/fields": typeof model_learning_fields;
  "model/learning/forget": typeof model_learning_forget;
  "model/learning/gate": typeof model_learning_gate;
  "model/learning/grading": typeof model_learning_grading;
  "model/learning/itemEdits": typeof model_learning_itemEdits;
  "model/learning/legacyChapter": typeof model_learning_legacyChapter;
  "model/learning/limits": typeof model_learning_limits;
  "model/learning/lists": typeof model_learning_lists;
  "model/learning/marking": typeof model_learning_marking;
  "model/learning/normalizeQuiz": typeof model_learning_normalizeQuiz;
  "model/learning/order": typeof model_learning_order;
  "model/learning/overview": typeof model_learning_overview;
  "model/learning/playback": typeof model_learning_playback;
  "model/learning/progress": typeof model_learning_progress;
  "model/learning/progressView": typeof model_learning_progressView;
  "model/learning/publish": typeof model_learning_publish;
  "model/learning/quiz": typeof model_learning_quiz;
  "model/learning/recount": typeof model_learning_recount;
  "model/learning/resume": typeof model_learning_resume;
  "model/learning/shorten": typeof model_learning_shorten;
  "model/learning/shuffle": typeof model_learning_shuffle;
  "model/learning/stale": typeof model_learning_stale;
  "model/learning/structure": typeof model_learning_structure;
  "model/learning/studyGap": typeof model_learning_studyGap;
  "model/learning/submission": typeof model_learning_submission;
  "model/learning/summary": typeof model_learning_summary;
  "model/library/address": typeof model_library_address;
  "model/library/counts": typeof model_library_counts;
  "model/library/create": typeof model_library_create;
  "model/library/deletion": typeof model_library_deletion;
  "model/library/fields": typeof model_library_fields;
  "model/library/gate": typeof model_library_gate;
  "model/library/generations": typeof model_library_generations;
  "model/library/keepable": typeof model_library_keepable;
  "model/library/list": typeof model_library_list;
  "model/library/oembed": typeof model_library_oembed;
  "model/library/outline": typeof model_library_outline;
  "model/library/publishing": typeof model_library_publishing;
  "model/library/responseBody": typeof model_library_responseBody;
  "model/library/retry": typeof model_library_retry;
  "model/library/search": typeof model_library_search;
  "model/library/status": typeof model_library_status;
  "model/library/study": typeof model_library_study;
  "model/library/studyEndpoint": typeof model_library_studyEndpoint;
  "model/library/transcript": typeof model_library_transcript;
  "model/library/view": typeof model_library_view;
  "model/listing": typeof model_listing;
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
  "model/migrations/batch": typeof model_migrations_batch;
  "model/migrations/location": typeof model_migrations_location;
  "model/migrations/plan": typeof model_migrations_plan;
  "model/migrations/rows": typeof model_migrations_rows;
  "model/migrations/run": typeof model_migrations_run;
  "model/migrations/verify": typeof model_migrations_verify;
  "model/plainValue": typeof model_plainValue;
  "model/progress": typeof model_progress;
  "model/releaseAll": typeof model_releaseAll;
  "model/retryJob": typeof model_retryJob;
  "model/rollup": typeof model_rollup;
  "model/secret": typeof model_secret;
  "model/store": typeof model_store;
  "model/sweepAll": typeof model_sweepAll;
  "model/upstream": typeof model_upstream;
  "model/video": typeof model_video;
  "model/videoJob": typeof model_videoJob;
  "model/view": typeof model_view;
  "model/webAddress": typeof model_webAddress;
  progress: typeof progress;
  quizzes: typeof quizzes;
  rollups: typeof rollups;
  scenes: typeof scenes;
  "tables/assets": typeof tables_assets;
  "tables/callers": typeof tables_callers;
  "tables/learning": typeof tables_learning;
  "tables/ledger": typeof tables_ledger;
  "tables/library": typeof tables_library;
  transcripts: typeof transcripts;
  video: typeof video;
  videoProcessing: typeof videoProcessing;
  videoSessions: typeof videoSessions;
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

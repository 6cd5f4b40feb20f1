// Each validator says exactly what its contract type says. The assertions are the compiler's: the
// test is that this file compiles.
import type { Infer, ObjectType } from "convex/values";
import { describe, expectTypeOf, it } from "vitest";
import type * as assets from "#shared/contract/assets.ts";
import type * as findings from "#shared/contract/findings.ts";
import type * as ledger from "#shared/contract/ledger.ts";
import type { TaskMessage } from "#shared/contract/messages.ts";
import type { AnalysisOptions } from "#shared/contract/options.ts";
import type { Warning } from "#shared/contract/warnings.ts";
import type * as tables from "../tables/library.ts";
import type { sceneObjects, sessionObjects } from "./assets/contents.ts";
import type { storedObject } from "./assets/object.ts";
import type * as validators from "./contract.ts";

describe("validators and contract types", () => {
  it("agree", () => {
    expectTypeOf<Infer<typeof validators.outputRef>>().toExtend<ledger.OutputRef>();
    expectTypeOf<ledger.OutputRef>().toExtend<Infer<typeof validators.outputRef>>();
    expectTypeOf<Infer<typeof validators.warning>>().toExtend<Warning>();
    expectTypeOf<Warning>().toExtend<Infer<typeof validators.warning>>();
    expectTypeOf<Infer<typeof validators.taskMessage>>().toExtend<TaskMessage>();
    expectTypeOf<TaskMessage>().toExtend<Infer<typeof validators.taskMessage>>();
    expectTypeOf<Infer<typeof validators.options>>().toExtend<AnalysisOptions>();
    expectTypeOf<AnalysisOptions>().toExtend<Infer<typeof validators.options>>();
    expectTypeOf<Infer<typeof validators.urls>>().toExtend<ledger.VideoUrls>();
    expectTypeOf<ledger.VideoUrls>().toExtend<Infer<typeof validators.urls>>();
    expectTypeOf<Infer<typeof validators.taskInput>>().toExtend<ledger.TaskInput>();
    expectTypeOf<ledger.TaskInput>().toExtend<Infer<typeof validators.taskInput>>();
    expectTypeOf<ObjectType<typeof validators.commitArgs>>().toExtend<ledger.CommitRequest>();
    expectTypeOf<ledger.CommitRequest>().toExtend<ObjectType<typeof validators.commitArgs>>();
    expectTypeOf<ObjectType<typeof validators.failArgs>>().toExtend<ledger.FailRequest>();
    expectTypeOf<ledger.FailRequest>().toExtend<ObjectType<typeof validators.failArgs>>();
    expectTypeOf<ObjectType<typeof validators.createJobArgs>>().toExtend<ledger.CreateJobRequest>();
    expectTypeOf<ledger.CreateJobRequest>().toExtend<ObjectType<typeof validators.createJobArgs>>();
    expectTypeOf<Infer<typeof validators.claimAnswer>>().toExtend<ledger.ClaimAnswer>();
    expectTypeOf<ledger.ClaimAnswer>().toExtend<Infer<typeof validators.claimAnswer>>();
    expectTypeOf<Infer<typeof validators.heartbeatAnswer>>().toExtend<ledger.HeartbeatAnswer>();
    expectTypeOf<ledger.HeartbeatAnswer>().toExtend<Infer<typeof validators.heartbeatAnswer>>();
    expectTypeOf<Infer<typeof validators.commitAnswer>>().toExtend<ledger.CommitAnswer>();
    expectTypeOf<ledger.CommitAnswer>().toExtend<Infer<typeof validators.commitAnswer>>();
    expectTypeOf<Infer<typeof validators.failAnswer>>().toExtend<ledger.FailAnswer>();
    expectTypeOf<ledger.FailAnswer>().toExtend<Infer<typeof validators.failAnswer>>();
    expectTypeOf<Infer<typeof validators.releaseAnswer>>().toExtend<ledger.ReleaseAnswer>();
    expectTypeOf<ledger.ReleaseAnswer>().toExtend<Infer<typeof validators.releaseAnswer>>();
    expectTypeOf<Infer<typeof validators.sweepAnswer>>().toExtend<ledger.SweepAnswer>();
    expectTypeOf<ledger.SweepAnswer>().toExtend<Infer<typeof validators.sweepAnswer>>();
    expectTypeOf<Infer<typeof validators.deadLetterAnswer>>().toExtend<ledger.DeadLetterAnswer>();
    expectTypeOf<ledger.DeadLetterAnswer>().toExtend<Infer<typeof validators.deadLetterAnswer>>();
    expectTypeOf<Infer<typeof validators.jobView>>().toExtend<ledger.JobView>();
    expectTypeOf<ledger.JobView>().toExtend<Infer<typeof validators.jobView>>();
    expectTypeOf<Infer<typeof validators.jobList>>().toExtend<ledger.JobList>();
    expectTypeOf<ledger.JobList>().toExtend<Infer<typeof validators.jobList>>();
    expectTypeOf<Infer<typeof validators.createJobAnswer>>().toExtend<ledger.CreateJobAnswer>();
    expectTypeOf<ledger.CreateJobAnswer>().toExtend<Infer<typeof validators.createJobAnswer>>();
    expectTypeOf<Infer<typeof validators.cancelAnswer>>().toExtend<ledger.CancelAnswer>();
    expectTypeOf<ledger.CancelAnswer>().toExtend<Infer<typeof validators.cancelAnswer>>();
    expectTypeOf<Infer<typeof validators.retryAnswer>>().toExtend<ledger.RetryAnswer>();
    expectTypeOf<ledger.RetryAnswer>().toExtend<Infer<typeof validators.retryAnswer>>();
    expectTypeOf<Infer<typeof validators.jobEvent>>().toExtend<ledger.JobEvent>();
    expectTypeOf<ledger.JobEvent>().toExtend<Infer<typeof validators.jobEvent>>();
    expectTypeOf<Infer<typeof validators.webhookEvent>>().toExtend<ledger.WebhookEvent>();
    expectTypeOf<ledger.WebhookEvent>().toExtend<Infer<typeof validators.webhookEvent>>();
    expectTypeOf<
      Infer<typeof validators.claimDeliveryAnswer>
    >().toExtend<ledger.ClaimDeliveryAnswer>();
    expectTypeOf<ledger.ClaimDeliveryAnswer>().toExtend<
      Infer<typeof validators.claimDeliveryAnswer>
    >();
    expectTypeOf<Infer<typeof validators.deliveryOutcome>>().toExtend<ledger.DeliveryOutcome>();
    expectTypeOf<ledger.DeliveryOutcome>().toExtend<Infer<typeof validators.deliveryOutcome>>();
    expectTypeOf<
      Infer<typeof validators.recordAttemptAnswer>
    >().toExtend<ledger.RecordAttemptAnswer>();
    expectTypeOf<ledger.RecordAttemptAnswer>().toExtend<
      Infer<typeof validators.recordAttemptAnswer>
    >();
  });
  it("agree on stored objects", () => {
    expectTypeOf<Infer<typeof storedObject>>().toEqualTypeOf<assets.StoredObject>();
    expectTypeOf<Infer<typeof sceneObjects>>().toEqualTypeOf<assets.SceneObjects>();
    expectTypeOf<Infer<typeof sessionObjects>>().toEqualTypeOf<assets.SessionObjects>();
  });
  it("agree on outlines", () => {
    expectTypeOf<Infer<typeof tables.outlineChapter>>().toEqualTypeOf<findings.OutlineChapter>();
    expectTypeOf<
      Infer<typeof tables.outlineHighlight>
    >().toEqualTypeOf<findings.OutlineHighlight>();
  });
});

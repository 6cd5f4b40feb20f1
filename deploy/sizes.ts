// What functions are deployed with: the catalog's sizes, with as many instances as the project's quota
// lets them have. Cloud Run refuses a service which could, with all its instances, take more than is
// granted in the region; a new project has 20 processors and 40 GiB, less than the catalog wants.
import { type FunctionSpec, sizedFor } from "#functions/catalog.ts";
import type { Settings } from "./settings.ts";

/** Memory is granted with processors. */
const MIB_PER_VCPU = 2048;
/** As many as the largest Cloud Run job takes: with fewer, not all of it can run. */
export const LEAST_VCPU = 8;
/** What Cloud Run says of it, in the words of either time. */
const REFUSAL = /maxScale may not exceed|(?:Cpu|Mem)AllocPerProjectRegion/;

/** @param vcpu processors that are granted; undefined where the catalog's instances fit */
export const withinQuota = (spec: FunctionSpec, vcpu: number | undefined): FunctionSpec => {
  if (vcpu === undefined) return spec;
  const most = Math.floor(Math.min(vcpu / spec.cpu, (vcpu * MIB_PER_VCPU) / spec.memoryMiB));
  return { ...spec, maxInstances: Math.min(spec.maxInstances, most) };
};

/** The functions as they are deployed under these settings. */
export const deployed = (
  catalog: readonly FunctionSpec[],
  { hasWhisper, vcpu }: Pick<Settings, "hasWhisper" | "vcpu">,
): FunctionSpec[] => catalog.map((spec) => withinQuota(sizedFor(spec, { hasWhisper }), vcpu));

/** @returns what to do about a refusal that is one for want of quota */
export const quotaAdvice = (refusal: string): string | undefined =>
  REFUSAL.test(refusal)
    ? "The project is granted fewer processors or less memory in this region than the functions may take. Set CLOUD_RUN_VCPU in .env to the processors that it has (IAM & Admin, Quotas, CpuAllocPerProjectRegion), or have the quota raised."
    : undefined;

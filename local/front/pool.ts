// The instances of one function: started when there is work for them, filled up to the function's
// concurrency, and replaced when they end. Requests beyond that wait a little, then hear 429.
import type { FunctionSpec } from "#functions/catalog.ts";
import type { Instance } from "./instance.ts";

export interface PoolOptions {
  spec: FunctionSpec;
  /** At most so many instances; the smaller of this and the catalog's counts. */
  maxInstances: number;
  maxWaiting: number;
  maxWaitMs: number;
  start: () => Promise<Instance>;
}

export type Lease =
  | { kind: "leased"; instance: Instance; release(): void }
  /** All instances are busy, and too many wait already, or for too long. */
  | { kind: "overloaded" }
  /** A new instance did not come up. */
  | { kind: "broken"; reason: string }
  | { kind: "closed" };

export interface Pool {
  lease(): Promise<Lease>;
  /** It broke off a request: given no other until it is clear whether it is ending. */
  suspect(instance: Instance): void;
  instances(): Instance[];
  /**
   * Tells those that are there to end, as Cloud Run does when there is a new revision; requests that
   * come find new ones. SIGKILL to those left after `graceMs`.
   * @returns how many
   */
  replace(graceMs: number): number;
  /** SIGTERM to all, SIGKILL to those left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** A process that ends has let go of its connections a little before it is gone. */
const SUSPECT_MS = 200;

export const createPool = ({
  spec,
  maxInstances,
  maxWaiting,
  maxWaitMs,
  start,
}: PoolOptions): Pool => {
  const limit = Math.min(spec.maxInstances, maxInstances);
  const instances = new Set<Instance>();
  const suspects = new Set<Instance>();
  /** Replaced, and not over yet. */
  const leaving = new Set<Instance>();
  const replaced = new WeakSet<Instance>();
  const waiting: ((answer: Lease | "try again") => void)[] = [];
  let starting = 0;
  let isClosed = false;

  const wakeOne = (): void => waiting.shift()?.("try again");

  const take = (instance: Instance): Lease => {
    instance.inFlight++;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      instance.inFlight--;
      wakeOne();
    };
    return { kind: "leased", instance, release };
  };

  const startOne = async (): Promise<Lease> => {
    starting++;
    try {
      const instance = await start();
      instances.add(instance);
      void instance.ended.then(() => {
        leaving.delete(instance);
        instances.delete(instance);
        wakeOne();
      });
      if (isClosed) await instance.stop(0);
      const lease = take(instance);
      // Whoever came while it was being started has room on it, and would wait for a release.
      for (let room = spec.concurrency - 1; room > 0; room--) wakeOne();
      return lease;
    } catch (error) {
      wakeOne();
      return { kind: "broken", reason: error instanceof Error ? error.message : String(error) };
    } finally {
      starting--;
    }
  };

  const wait = (): Promise<Lease | "try again"> => {
    if (waiting.length >= maxWaiting) return Promise.resolve({ kind: "overloaded" });
    return new Promise((resolve) => {
      const answer = (lease: Lease | "try again"): void => {
        clearTimeout(timer);
        resolve(lease);
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(answer), 1);
        resolve({ kind: "overloaded" });
      }, maxWaitMs);
      waiting.push(answer);
    });
  };

  const leaseReady = async (lease: Lease): Promise<Lease | "try again"> => {
    if (lease.kind !== "leased") return lease;
    try {
      await lease.instance.ready;
      return lease;
    } catch (error) {
      lease.release();
      // It was replaced while it was coming up.
      if (replaced.has(lease.instance)) return "try again";
      return { kind: "broken", reason: error instanceof Error ? error.message : String(error) };
    }
  };

  return {
    async lease() {
      for (;;) {
        if (isClosed) return { kind: "closed" };
        const free = [...instances]
          .filter((one) => !one.isOver && !suspects.has(one) && one.inFlight < spec.concurrency)
          .sort((a, b) => a.inFlight - b.inFlight)[0];
        const answer = free
          ? await leaseReady(take(free))
          : instances.size + starting < limit
            ? await leaseReady(await startOne())
            : await wait();
        if (answer !== "try again") return answer;
      }
    },
    suspect(instance) {
      suspects.add(instance);
      const clear = (): void => {
        clearTimeout(timer);
        if (suspects.delete(instance)) wakeOne();
      };
      const timer = setTimeout(clear, SUSPECT_MS);
      void instance.ended.then(clear);
    },
    instances: () => [...instances],
    replace(graceMs) {
      const count = instances.size;
      for (const instance of instances) {
        replaced.add(instance);
        leaving.add(instance);
        instances.delete(instance);
        instance.stop(graceMs).catch((error: unknown) => console.error("front:", error));
      }
      // Those who wait for a place on them need not.
      for (let room = count * spec.concurrency; room > 0 && waiting.length > 0; room--) wakeOne();
      return count;
    },
    async close(graceMs) {
      isClosed = true;
      for (const answer of waiting.splice(0)) answer({ kind: "closed" });
      const all = [...instances, ...leaving];
      await Promise.all(all.map((instance) => instance.stop(graceMs)));
    },
  };
};

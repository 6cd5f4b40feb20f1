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

  const leaseReady = async (lease: Lease): Promise<Lease> => {
    if (lease.kind !== "leased") return lease;
    try {
      await lease.instance.ready;
      return lease;
    } catch (error) {
      lease.release();
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
        if (free) return await leaseReady(take(free));
        if (instances.size + starting < limit) return await leaseReady(await startOne());
        const answer = await wait();
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
    async close(graceMs) {
      isClosed = true;
      for (const answer of waiting.splice(0)) answer({ kind: "closed" });
      await Promise.all([...instances].map((instance) => instance.stop(graceMs)));
    },
  };
};

// One instance of a function: a child process that listens on a port of its own.
import { z } from "zod";
import { type OwnProcess, type ProcessOptions, startProcess } from "../ownProcess.ts";

export interface InstanceOptions extends ProcessOptions {
  startTimeoutMs: number;
}

export interface Instance extends Pick<OwnProcess, "pid" | "ended" | "isOver" | "stop"> {
  /** 0 until it is ready. */
  port: number;
  /** Resolves when it listens; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Requests it works on. */
  inFlight: number;
}

const Listening = z.object({ port: z.int().positive() });

/** @throws {Error} where the command cannot be started at all */
export const startInstance = async (options: InstanceOptions): Promise<Instance> => {
  const own = await startProcess({ ...options, env: { ...options.env, PORT: "0" } });
  const told = Promise.withResolvers<number>();
  own.child.on("message", (message: unknown) => {
    const read = Listening.safeParse(message);
    if (read.success) told.resolve(read.data.port);
  });
  const timer = setTimeout(() => {
    own.killGroup("SIGKILL");
    told.reject(new Error(`The instance did not listen within ${options.startTimeoutMs} ms.`));
  }, options.startTimeoutMs);
  void own.ended.then((how) => told.reject(new Error(`The instance ${how}.`)));

  const listens = async (): Promise<void> => {
    try {
      const port = await told.promise;
      instance.port = port;
    } finally {
      clearTimeout(timer);
    }
  };
  const ready = listens();
  ready.catch(() => {}); // Whoever waits for it hears of it; it need not be anyone.
  const instance: Instance = Object.assign(own, { port: 0, inFlight: 0, ready });
  return instance;
};

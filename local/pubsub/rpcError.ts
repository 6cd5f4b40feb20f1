// An error that goes to a gRPC client with its status code and a sentence.
import { status } from "@grpc/grpc-js";
import { DiskFull } from "../fullDisk.ts";

type Code = keyof typeof status;

export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;
  readonly details: string;

  constructor(code: Code, details: string, options: ErrorOptions = {}) {
    super(details, options);
    this.code = status[code];
    this.details = details;
  }
}

/** Whatever was thrown, as gRPC sends it; the unexpected is INTERNAL and keeps its cause. */
export const toRpcError = (error: unknown): RpcError => {
  if (error instanceof RpcError) return error;
  // Publishers send again what is answered so, until there is room.
  const code = error instanceof DiskFull ? "RESOURCE_EXHAUSTED" : "INTERNAL";
  const details = error instanceof Error ? error.message : String(error);
  return new RpcError(code, details, { cause: error });
};

// An error that goes to a gRPC client with its status code and a sentence.
import { status } from "@grpc/grpc-js";

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
export const toRpcError = (error: unknown): RpcError =>
  error instanceof RpcError
    ? error
    : new RpcError("INTERNAL", error instanceof Error ? error.message : String(error), {
        cause: error,
      });

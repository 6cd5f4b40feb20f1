// Keeps queries and mutations from what Convex keeps them from: waiting, and the network. The globals
// are as ever for all other code; clocks that tests put in place stay in place. Unlike in Convex, time
// goes on while a function runs and chance is not seeded, since nothing is run again to be compared; and
// what functions log goes to the process's own output, as a production deployment keeps it from clients.
import type { FunctionKind } from "../runtime.ts";

const SHOWN = { fetch: "fetch()" } as Record<string, string>;
const REFUSED = ["fetch", "setTimeout", "setInterval", "setImmediate", "WebSocket"] as const;

const refuse = (name: string): (() => never) =>
  // A constructor is called with `new`, so this is no arrow function.
  function () {
    throw new Error(
      `Can't use ${SHOWN[name] ?? name} in queries and mutations. Please consider using an action. See https://docs.convex.dev/functions/actions for more details.`,
    );
  };

/** @param running  what kind of function the code that asks belongs to; undefined for none */
export const guardGlobals = (running: () => FunctionKind | undefined): void => {
  const isGuarded = (): boolean => {
    const kind = running();
    return kind === "query" || kind === "mutation";
  };
  for (const name of REFUSED) {
    let usual = Reflect.get(globalThis, name) as unknown;
    // What stands there for queries and mutations: who puts another in place for a moment, as test
    // runners do to load a module, puts this one back.
    let guarded: unknown = refuse(name);
    Object.defineProperty(globalThis, name, {
      configurable: true,
      enumerable: true,
      get: () => (isGuarded() ? guarded : usual),
      set(value: unknown) {
        if (isGuarded()) guarded = value;
        else usual = value;
      },
    });
  }
};

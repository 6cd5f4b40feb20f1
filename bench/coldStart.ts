// How long an instance takes from the start of its process to its first answer: the bundle that is
// deployed, with what was compiled before (as the image has it) and without, and for some functions the
// sources as they are, beside the framework with a function that does nothing.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CATALOG, type FunctionSpec } from "#functions/catalog.ts";
import { buildFunctions } from "../tools/build.ts";
import { type Start, firstRequest, timeStart } from "../tools/startUp.ts";
import { FRAMEWORK, folderInProject, writeBareFunction } from "./bareFunction.ts";
import { type Bench, type BenchRow, median } from "./row.ts";

const ROUNDS = 9;
const SOURCES = fileURLToPath(new URL("../functions/main.ts", import.meta.url));
/** The lightest, one with a body to read, and a stage. */
const ALSO_AS_SOURCES = ["status", "submit", "media"];
/** Whatever the peer takes. */
const GOAL_MS = 400;

const FORMS = ["compiled", "bundle", "sources"] as const;
type Form = (typeof FORMS)[number];

const NOTES: Record<Form, string> = {
  compiled: "with what Node compiled before, as the image has it",
  bundle: "as `npm run build` makes it, to deploy",
  sources: "as they are read, and as the local cloud runs them (there with a compile cache)",
};

interface Times {
  tookMs: number[];
  processorMs: number[];
  ratios: number[];
}

const rowOf = (name: string, form: Form, times: Times, bareMs: readonly number[]): BenchRow => {
  const ms = median(times.tookMs);
  const processor = `${median(times.processorMs).toFixed(0)} ms of a processor`;
  const within = form === "compiled" ? `; ${ms <= GOAL_MS ? "within" : "over"} ${GOAL_MS} ms` : "";
  return {
    name: `process start to first answer: ${name}, ${form}`,
    ours: ms,
    peer: median(bareMs),
    unit: "ms",
    ratio: median(times.ratios),
    ...(form === "sources" ? {} : { goal: "≤ 2" }),
    note: `${NOTES[form]}; ${processor}${within}`,
  };
};

export const run: Bench = async function* () {
  using folder = folderInProject();
  const bundle = await buildFunctions(join(folder.path, "functions"));
  const cache = { NODE_COMPILE_CACHE: join(folder.path, "compiled") };
  const start = (source: string, target: string, env = {}): Omit<Start, "request"> => ({
    command: [process.execPath, FRAMEWORK, `--source=${source}`, `--target=${target}`],
    env: { FUNCTION_TARGET: target, ...env },
  });
  const bare: Start = {
    ...start(writeBareFunction(folder.path), "bare"),
    request: { method: "GET", path: "/", status: 200 },
  };

  const starts = (spec: FunctionSpec): [Form, Start][] => {
    const request = firstRequest(spec);
    const all: Record<Form, Start> = {
      compiled: { ...start(bundle, spec.name, cache), request },
      bundle: { ...start(bundle, spec.name), request },
      sources: { ...start(SOURCES, spec.name), request },
    };
    return FORMS.filter((form) => form !== "sources" || ALSO_AS_SOURCES.includes(spec.name)).map(
      (form) => [form, all[form]],
    );
  };

  for (const spec of CATALOG) {
    const forms = starts(spec);
    await timeStart({
      ...start(bundle, spec.name, cache),
      request: firstRequest(spec),
      endWith: "SIGTERM",
    });
    const bareMs: number[] = [];
    const times = new Map<Form, Times>(
      forms.map(([form]) => [form, { tookMs: [], processorMs: [], ratios: [] }]),
    );
    // In turns, so that a busy machine slows all.
    for (let i = 0; i < ROUNDS; i += 1) {
      const { tookMs: peerMs } = await timeStart(bare);
      bareMs.push(peerMs);
      for (const [form, one] of forms) {
        const { tookMs, processorMs } = await timeStart(one);
        const into = times.get(form)!;
        into.tookMs.push(tookMs);
        into.processorMs.push(processorMs ?? Number.NaN);
        into.ratios.push(tookMs / peerMs);
      }
    }
    for (const [form] of forms) yield rowOf(spec.name, form, times.get(form)!, bareMs);
  }
};

// The page of these tests: a list and its count by `convex/react`, rows added with an optimistic update.
// It checks itself at every change that it shows; `globalThis.probe` is what a test asks and tells it.
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { ConvexProvider, ConvexReactClient, useMutation, useQuery } from "convex/react";
import { ConvexError } from "convex/values";
import { createElement, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { type Row, add, addAndFail, addTwice, append, count, inList } from "./functions.ts";

export interface Probe {
  /** Adds rows one after another, in so many rows at once; some are refused. */
  addRows(texts: readonly string[], lanes: number): Promise<void>;
  /** What was answered: the rank of each text. */
  acknowledged: Record<string, number>;
  refused: string[];
  /** Texts that were shown before the server had them. */
  shownEarly: string[];
  /** What should never be seen. */
  violations: string[];
  /** How often something else was shown. */
  changes: number;
  /** Calls of every kind by the clients without React. */
  callAll(name: string): Promise<unknown>;
}

declare const document: {
  location: { search: string };
  getElementById(id: string): Parameters<typeof createRoot>[0];
};
declare const dispatchEvent: (event: Event) => void;

const parameters = new URLSearchParams(document.location.search);
const list = parameters.get("list")!;
const url = parameters.get("url")!;
const quiet = { logger: false as const };
const client = new ConvexReactClient(url, { ...quiet, unsavedChangesWarning: false });
const EARLY = "early";

let appendRow: (args: { list: string; text: string; isRefused: boolean }) => Promise<number>;
let shown: { committed: readonly Row[]; total: number } = { committed: [], total: 0 };
const shownEarly = new Set<string>();

const say = (sentence: string): void => {
  if (probe.violations.length < 20) probe.violations.push(sentence);
};
const shownNow = (): readonly Row[] => client.watchQuery(inList, { list }).localQueryResult() ?? [];

const addRow = async (text: string): Promise<void> => {
  const isRefused = text.includes("refuse");
  try {
    probe.acknowledged[text] = await appendRow({ list, text, isRefused });
    if (isRefused) say(`${text} was taken`);
    const row = shownNow().find((one) => one.text === text);
    if (row?.rank !== probe.acknowledged[text]) say(`${text} is not shown after its answer`);
  } catch (error) {
    const isExpected = error instanceof ConvexError && isRefused;
    if (!isExpected) say(`${text}: ${String(error)}`);
    probe.refused.push(text);
    if (shownNow().some((one) => one.text === text)) say(`${text} is still shown`);
  }
};

const probe: Probe = {
  acknowledged: {},
  refused: [],
  get shownEarly() {
    return [...shownEarly];
  },
  violations: [],
  changes: 0,
  async addRows(texts, lanes) {
    const waiting = [...texts];
    const lane = async (): Promise<void> => {
      for (let text = waiting.shift(); text !== undefined; text = waiting.shift())
        await addRow(text);
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  },
  async callAll(name) {
    const plain = new ConvexClient(url, { ...quiet, unsavedChangesWarning: false });
    const http = new ConvexHttpClient(url, quiet);
    const heard = new Promise<number>((resolve) => {
      plain.onUpdate(count, { name }, (value) => value === 6 && resolve(value));
    });
    const values = [
      await http.mutation(add, { name, by: 1 }),
      await http.action(addTwice, { name }),
      await http.query(count, { name }),
      await http.mutation(addAndFail, { name }).catch((error: ConvexError<{ code: string }>) => {
        return error.data.code;
      }),
      await new ConvexHttpClient(url, { ...quiet, auth: "no token" })
        .query(count, { name })
        .catch((error: Error) => error.message),
      await plain.mutation(add, { name, by: 1 }),
      await plain.action(addTwice, { name }),
      await heard,
    ];
    await plain.close();
    return values;
  },
};
Object.assign(globalThis, { probe });

/** Everything that is ever shown passes here. */
const look = (rows: readonly Row[], total: number): void => {
  probe.changes += 1;
  const committed = rows.filter(({ _id }) => _id !== EARLY);
  for (const row of rows) if (row._id === EARLY) shownEarly.add(row.text);
  if (total < shown.total) say(`the count went from ${shown.total} back to ${total}`);
  if (committed.length !== total)
    say(`${committed.length} rows are shown beside a count of ${total}`);
  for (const [at, row] of committed.entries()) {
    if (row.rank !== at + 1) say(`rank ${row.rank} is shown at ${at + 1}`);
  }
  for (const [at, row] of shown.committed.entries()) {
    if (committed[at]?._id !== row._id) say(`${row.text}, of rank ${row.rank}, was lost`);
  }
  shown = { committed, total };
};

const List = () => {
  const rows = useQuery(inList, { list });
  const total = useQuery(count, { name: list });
  appendRow = useMutation(append).withOptimisticUpdate((store, { text }) => {
    const before = store.getQuery(inList, { list });
    // After a reconnection the server's answer may have it, before the client hears that it is done.
    if (!before || before.some((row) => row.text === text)) return;
    store.setQuery(inList, { list }, [...before, { _id: EARLY, rank: Infinity, text }]);
  });
  useEffect(() => {
    if (rows && total !== undefined) look(rows, total);
  }, [rows, total]);
  const items = (rows ?? []).map(({ _id, text }) =>
    createElement("li", { key: `${_id} ${text}` }, text),
  );
  return createElement("ol", { "data-total": total }, items);
};

createRoot(document.getElementById("root")).render(
  createElement(ConvexProvider, { client }, createElement(List)),
);

// The client waits longer after each failure, unless the browser says that it is online again.
if (parameters.has("eager")) setInterval(() => dispatchEvent(new Event("online")), 20);

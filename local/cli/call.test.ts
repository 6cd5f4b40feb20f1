// What `npm run call` says before it asks anybody. What it is answered: tests/e2e/learning.test.ts.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findFunction, withFirstPage } from "./backendFunctions.ts";
import { main } from "./call.ts";

let out: string;
let err: string;
beforeEach(() => {
  [out, err] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => Boolean((out += String(text))));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean((err += String(text))));
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("--list", () => {
  it("names what people may call, and who may", async () => {
    expect(await main(["--list"])).toBe(0);
    expect(out).toMatch(/^query +everybody +video:getByTwitchIdPublic \{ /m);
    expect(out).toMatch(/^mutation +learner +progress:markCompleted \{ /m);
    expect(out).toMatch(/^mutation +instructor +courses:createCourse \{ name: string, /m);
    expect(out).not.toContain("ledger:claim");
  });
  it("of one module has no other; with --all it has the pipeline's", async () => {
    expect(await main(["--list", "ledger", "--all"])).toBe(0);
    expect(out).toMatch(/^mutation +pipeline +ledger:claim \{ /m);
    expect(
      out
        .trim()
        .split("\n")
        .every((line) => line.includes(" ledger:")),
    ).toBe(true);
  });
});

it.each([
  ["a module that is not there", ["--list", "nothing"], /begins with nothing/],
  ["a module of the pipeline", ["--list", "ledger"], /people may call begins with ledger/],
  ["two modules", ["--list", "courses", "videos"], /one module/],
  ["--all alone", ["--all"], /--list/],
  ["a token and a function", ["--token", "courses:getCourse"], /calls nothing/],
  ["a function too many", ["courses:getCourse", "{}", "{}"], /in one piece/],
  [
    "a missing argument",
    ["courses:getCourse"],
    /courseId is missing\.\n  courses:getCourse \{ courseId: /,
  ],
  [
    "an unknown argument",
    ["videos:listVideos", '{"all": true}'],
    /no argument all\.\n  videos:listV/,
  ],
  ["one of another type", ["courses:getCourse", '{"courseId": 1}'], /courseId is no Id<"courses">/],
  [
    "a value that is none of those there are",
    ["videos:listVideos", '{"status": "lost"}'],
    /status is no "pending" \| "processing"/,
  ],
  [
    "one deep inside",
    ["videos:listVideos", '{"paginationOpts": {"numItems": "2", "cursor": null}}'],
    /paginationOpts\.numItems is no number/,
  ],
])("%s is wrong use", async (_, argv, says) => {
  expect([await main(argv), out]).toEqual([2, ""]);
  expect(err).toMatch(says);
});

it("asks for a first page where the function answers in pages, unless one is given", async () => {
  const [paged, whole] = [
    await findFunction("videos:listVideos"),
    await findFunction("courses:getCourse"),
  ];
  if (!paged || !whole) throw new Error("no function");
  const other = { paginationOpts: { numItems: 1, cursor: "x" } };
  expect(withFirstPage(paged, {})).toEqual({ paginationOpts: { numItems: 20, cursor: null } });
  expect(withFirstPage(paged, other)).toEqual(other);
  expect(withFirstPage(whole, {})).toEqual({});
});

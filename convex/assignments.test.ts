// Assignments through the functions that learners and a course's owner call.
import { beforeEach, describe, expect, it } from "vitest";
import { api } from "./_generated/api.js";
import type { Id } from "./_generated/dataModel.js";
import { progressOf, seedCourse } from "./model/learning/course.setup.ts";
import {
  type Backend,
  createBackend,
  ownerIdOf,
  refused,
  standInEnvironment,
} from "./testing.setup.ts";

beforeEach(standInEnvironment);

let backend: Backend;
let courseId: Id<"courses">;
let contentItemId: Id<"contentItems">;
const setUp = async (assignmentData: unknown, over = {}) => {
  backend = createBackend();
  const seeded = await seedCourse(backend, [{ type: "assignment", assignmentData }], over);
  courseId = seeded.courseId;
  [contentItemId] = seeded.itemIds as [Id<"contentItems">];
};
beforeEach(() => setUp({ instructions: "Write.", maxPoints: 20 }));

const ada = () => backend.user("ada", "instructor");
const submit = (work: { text?: string; url?: string }, name = "lea") =>
  backend.user(name).mutation(api.assignments.submit, { contentItemId, ...work });
const grade = (submissionId: Id<"assignmentSubmissions">, points: number, feedback?: string) =>
  ada().mutation(api.assignments.grade, {
    submissionId,
    points,
    ...(feedback === undefined ? {} : { feedback }),
  });

describe("work", () => {
  it("is handed in, graded, and completes the item", async () => {
    const { submissionId } = await submit({ text: "Mine", url: "HTTPS://Example.com/a b" });
    expect(await grade(submissionId, 14, "Good.")).toMatchObject({
      state: "graded",
      url: "https://example.com/a%20b",
      points: 14,
      maxPoints: 20,
      passed: true,
      feedback: "Good.",
    });
    const lea = backend.user("lea");
    expect(await lea.query(api.assignments.listMine, { contentItemId })).toMatchObject([
      { version: 1, text: "Mine", passed: true, feedback: "Good." },
    ]);
    expect(await progressOf(backend, "lea", contentItemId)).toMatchObject({ completed: true });
    await expect(submit({ text: "More" })).rejects.toMatchObject(refused("conflict"));
  });
  it("has versions until it is passed; the newest is graded", async () => {
    const first = await submit({ text: "One" });
    expect(await submit({ text: "One" })).toEqual(first);
    const second = await submit({ text: "Two" });
    expect(second.version).toBe(2);
    await expect(grade(first.submissionId, 20)).rejects.toMatchObject(refused("conflict"));
    await grade(second.submissionId, 13);
    expect(await progressOf(backend, "lea", contentItemId)).toMatchObject({
      completed: false,
      progressPercentage: 65,
    });
    const third = await submit({ text: "Three" });
    await ada().mutation(api.assignments.returnForRevision, {
      submissionId: third.submissionId,
      feedback: "Nearly.",
    });
    await submit({ text: "Three" });
    const mine = await backend.user("lea").query(api.assignments.listMine, { contentItemId });
    expect(mine.map(({ version, state }) => [version, state])).toEqual([
      [4, "submitted"],
      [3, "returned"],
      [2, "graded"],
      [1, "superseded"],
    ]);
  });
  it("may have its grade corrected, which then decides", async () => {
    const { submissionId } = await submit({ text: "Mine" });
    await grade(submissionId, 20);
    await grade(submissionId, 2);
    expect(await progressOf(backend, "lea", contentItemId)).toMatchObject({ completed: false });
    expect(await submit({ text: "Better" })).toMatchObject({ version: 2 });
  });
  it.each([
    ["nothing", {}],
    ["spaces", { text: "  ", url: " " }],
    ["a script", { url: "javascript:alert(1)" }],
    ["a file", { url: "file:///etc/passwd" }],
    ["no address", { url: "example" }],
    ["a password", { url: "https://a:b@example.com/" }],
    ["a long address", { url: `https://example.com/${"x".repeat(2050)}` }],
    ["a long text", { text: "x".repeat(20_001) }],
  ])("is refused with %s", async (_, work) => {
    await expect(submit(work)).rejects.toMatchObject(refused("invalid_request"));
  });
  it("is what the assignment takes", async () => {
    await setUp({ instructions: "Link.", accepts: ["url"] });
    await expect(submit({ text: "Mine" })).rejects.toMatchObject(refused("invalid_request"));
    await submit({ url: "https://example.com/" });
    await setUp({ instructions: "Write.", accepts: ["text"] });
    await expect(submit({ url: "https://example.com/" })).rejects.toMatchObject(
      refused("invalid_request"),
    );
  });
  it("is not handed in for a draft, nor for what is no assignment", async () => {
    await setUp({ instructions: "Write." }, { isPublished: false, status: "draft" });
    await expect(submit({ text: "Mine" })).rejects.toMatchObject(refused("not_found"));
    await setUp("an old row's");
    await expect(submit({ text: "Mine" })).rejects.toMatchObject(refused("conflict"));
  });
});

describe("grading", () => {
  it("is for the course's owner and admins", async () => {
    const { submissionId } = await submit({ text: "Mine" });
    const args = { submissionId, points: 20 };
    for (const [person, refusal] of [
      [backend.user("lea"), "forbidden"],
      [backend.user("eve", "instructor"), "not_found"],
    ] as const) {
      await Promise.all(
        [
          person.mutation(api.assignments.grade, args),
          person.mutation(api.assignments.returnForRevision, { submissionId }),
        ].map((call) => expect(call).rejects.toMatchObject(refused(refusal))),
      );
    }
    await backend.user("root", "admin").mutation(api.assignments.grade, args);
  });
  it("is not for one's own work, but in one's own course", async () => {
    const own = await submit({ text: "Trying it" }, "ada");
    expect(await grade(own.submissionId, 20)).toMatchObject({ passed: true });
    const { submissionId } = await submit({ text: "Mine" }, "root");
    await expect(
      backend.user("root", "admin").mutation(api.assignments.grade, { submissionId, points: 20 }),
    ).rejects.toMatchObject(refused("forbidden"));
  });
  it.each([-1, 21, Number.NaN, Number.POSITIVE_INFINITY])("takes no %d points", async (points) => {
    const { submissionId } = await submit({ text: "Mine" });
    await expect(grade(submissionId, points)).rejects.toMatchObject(refused("invalid_request"));
  });
  it("lists what was handed in, by state", async () => {
    await submit({ text: "One" });
    await submit({ text: "Two" });
    await submit({ text: "Bob's" }, "bob");
    const list = async (state?: "submitted" | "superseded", reader = ada()) => {
      const { page } = await reader.query(api.assignments.listSubmissions, {
        courseId,
        ...(state ? { state } : {}),
        paginationOpts: { numItems: 10, cursor: null },
      });
      return page.map(({ userId, text }) => [userId, text]);
    };
    expect(await list("submitted")).toEqual([
      [ownerIdOf("lea"), "Two"],
      [ownerIdOf("bob"), "Bob's"],
    ]);
    expect(await list("superseded")).toEqual([[ownerIdOf("lea"), "One"]]);
    expect(await list()).toHaveLength(3);
    await expect(list(undefined, backend.user("eve", "instructor"))).rejects.toMatchObject(
      refused("forbidden"),
    );
    await expect(list(undefined, backend.user("lea"))).rejects.toMatchObject(refused("forbidden"));
  });
});

// What one video gives a course: chapters, notes and quiz, within the room there is.
import { describe, expect, it } from "vitest";
import { notesSections } from "./draftNotes.ts";
import { type Plan, type Room, type Source, planVideo } from "./draftPlan.ts";
import { shorten } from "./shorten.ts";

const ROOM: Room = { chapters: 100, items: 500, bytes: 4 * 1024 * 1024 };
const topic = (title: string, startSec: number, endSec: number) => ({ title, startSec, endSec });
const highlight = (rank: number, startSec: number, endSec: number, title = `Moment ${rank}`) => ({
  ...topic(title, startSec, endSec),
  rank,
  score: 1 / rank,
});
const QUIZ = { questions: [{ question: "So?", options: ["Yes", "No"], correctAnswer: 0 }] };
const plan = (over: Partial<Source>, room: Partial<Room> = {}): Plan =>
  planVideo(
    { title: "A talk", outline: null, notes: undefined, quiz: undefined, ...over },
    { ...ROOM, ...room },
  );
/** "Chapter: type title start-end, …" */
const shape = ({ chapters }: Plan): string[] =>
  chapters.map(({ name, items }) => {
    const shown = items.map(
      ({ title, part, content }) =>
        `${content.type} ${title} ${part.startSec ?? ""}-${part.endSec ?? ""}`,
    );
    return `${name}: ${shown.join(", ")}`;
  });
const times = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("a video", () => {
  it("without topics is one chapter, with notes and quiz", () => {
    const made = plan({ notes: "# Water\n\nIt is wet.", quiz: QUIZ });
    expect(shape(made)).toEqual(["A talk: video A talk -, text Notes -, quiz Quiz -"]);
    expect(made.chapters[0]?.items[1]?.content).toEqual({
      type: "text",
      textContent: "<h3>Water</h3><p>It is wet.</p>",
    });
    expect(made.warnings).toEqual([]);
  });
  it("has a chapter for each topic, with what falls into it", () => {
    const made = plan({
      durationSec: 300,
      outline: {
        chapters: [topic("Two", 100, 200), topic("One", 0, 100), topic("Three", 200, 301)],
        highlights: [
          highlight(1, 110, 130),
          highlight(2, 10, 20, ""),
          highlight(3, 210, 299, "most of Three"),
        ],
      },
      notes: {
        sections: [
          { title: "Late", text: "b", start_sec: 150 },
          { title: "Anywhere", text: "c" },
          { title: "Early", text: "a", start_sec: "1:45" },
        ],
      },
      quiz: QUIZ,
    });
    expect(shape(made)).toEqual([
      "One: video One 0-100, video Highlight at 0:10 10-20, text Anywhere -",
      "Two: video Two 100-200, video Highlight: Moment 1 110-130, text Early 105-150, text Late 150-200",
      "Three: video Three 200-300, quiz Quiz -",
    ]);
  });
  it("gives no chapter two items of one title", () => {
    const highlights = [highlight(1, 10, 20, "One"), highlight(2, 30, 40, "One")];
    const made = plan({ outline: { chapters: [topic("One", 0, 100)], highlights } });
    expect(shape(made)).toEqual([
      "One: video One 0-100, video Highlight: One 10-20, video Highlight at 0:30: One 30-40",
    ]);
  });
  it("leaves out parts that are not in it", () => {
    const chapters = [topic("In", 0, 50), topic("Empty", 20, 20), topic("Beyond", 60, 70)];
    expect(shape(plan({ durationSec: 55, outline: { chapters, highlights: [] } }))).toEqual([
      "In: video In 0-50",
    ]);
  });
  it("has names for what has none, and short ones for what has long ones", () => {
    const long = "word ".repeat(100);
    const chapters = [topic(" ", 0, 10), topic(long, 10, 20)];
    const made = plan({ title: long, outline: { chapters, highlights: [] } });
    expect(made.chapters.map(({ name }) => name)).toEqual(["Part 1", shorten(long, 200)]);
  });
});

describe("the room", () => {
  it("puts the shortest neighbours together, and says so", () => {
    const chapters = [topic("A", 0, 100), topic("B", 100, 110), topic("C", 110, 130)];
    const made = plan({ outline: { chapters, highlights: [] } }, { chapters: 2 });
    expect(shape(made)).toEqual(["A: video A 0-100", "B: video B 100-130"]);
    expect(made.warnings).toEqual(["A talk: 3 chapters were put together to 2."]);
  });
  it("leaves out the lowest highlights", () => {
    const highlights = [highlight(3, 1, 2), highlight(1, 3, 4), highlight(2, 5, 6)];
    const chapters = [topic("A", 0, 100)];
    const made = plan({ outline: { chapters, highlights }, quiz: QUIZ }, { items: 4 });
    expect(shape(made)).toEqual([
      "A: video A 0-100, video Highlight: Moment 1 3-4, video Highlight: Moment 2 5-6, quiz Quiz -",
    ]);
    expect(made.warnings).toEqual([
      "A talk: 1 highlights are left out: there is no room for them.",
    ]);
  });
  it("puts a chapter's notes together", () => {
    const notes = times(95).map((index) => ({ title: `N${index}`, text: "x" }));
    const made = plan({ notes });
    expect(shape(made)).toEqual(["A talk: video A talk -, text Notes -"]);
    expect(JSON.stringify(made)).toContain("<h3>N0</h3><p>x</p><h3>N1</h3>");
  });
  it("cuts long notes between two paragraphs", () => {
    const notes = times(100)
      .map(() => "word ".repeat(200))
      .join("\n\n");
    const made = plan({ notes }, { bytes: 10_000 });
    const { content } = made.chapters[0]?.items[1] ?? {};
    const html = content?.type === "text" ? content.textContent : "";
    expect(html).toMatch(/^(?:<p>[^<]*<\/p>){9}$/);
    expect(made.warnings).toEqual([expect.stringMatching(/notes were cut/)]);
  });
  it("leaves out a quiz that is too large, or that cannot be used", () => {
    const left = [plan({ quiz: QUIZ }, { bytes: 50 }), plan({ quiz: { questions: ["?"] } })];
    for (const made of left) {
      expect(shape(made)).toEqual(["A talk: video A talk -"]);
      expect(made.warnings).toEqual([expect.stringMatching(/^A talk: The quiz is left out/)]);
    }
    expect(plan({ quiz: {} }).warnings).toEqual([]);
  });
  it.each([
    [1, 3],
    [5, 11],
    [20, 41],
    [100, 201],
  ])("of %i chapters and %i items is never left", (chapters, items) => {
    const made = plan(
      {
        outline: {
          chapters: times(200).map((index) => topic(`T${index}`, index * 10, index * 10 + 10)),
          highlights: times(100).map((index) => highlight(index, index * 15, index * 15 + 2)),
        },
        notes: times(300).map((index) => ({ title: `N${index}`, text: "x", start_sec: index * 6 })),
        quiz: QUIZ,
      },
      { chapters, items },
    );
    expect(made.chapters).toHaveLength(chapters);
    expect(made.chapters.flatMap((chapter) => chapter.items).length).toBeLessThanOrEqual(items);
    for (const chapter of made.chapters) expect(chapter.items.length).toBeLessThanOrEqual(200);
  });
});

describe("notes", () => {
  it.each<[string, unknown, [string, string][]]>([
    ["nothing", null, []],
    ["an empty object", {}, []],
    ["empty fields", { title: "T", sections: [{ text: " " }], points: [] }, []],
    ["a number", 7, [["Notes", "<p>7</p>"]]],
    ["words", ["a", "b"], [["Notes", "<ul><li>a</li><li>b</li></ul>"]]],
    [
      "Markdown",
      "Hello **you**\nthere\n* one\n* two\n## End",
      [
        [
          "Notes",
          "<p>Hello <strong>you</strong> there</p><ul><li>one</li><li>two</li></ul><h3>End</h3>",
        ],
      ],
    ],
    [
      "a record",
      { title: "T", keyPoints: ["a"], one_line: "b", deep: { er: [{ x: true }] } },
      [
        [
          "T",
          "<h3>Key points</h3><ul><li>a</li></ul><p><strong>One line:</strong> b</p><h3>Deep</h3><h3>Er</h3><p><strong>X:</strong> true</p>",
        ],
      ],
    ],
    [
      "sections with something beside them",
      { summary: "s", sections: [{ heading: "H", content: "c", end_sec: 3 }, "loose"] },
      [
        ["Notes", "<p><strong>Summary:</strong> s</p>"],
        ["H", "<p>c</p>"],
        ["Notes", "<p>loose</p>"],
      ],
    ],
  ])("are read of %s", (_, notes, sections) => {
    expect(notesSections(notes).map(({ title, html }) => [title, html.join("")])).toEqual(sections);
  });
  it("hold no markup but ours", () => {
    const evil = `<script>alert(1)</script><img src=x onerror="x"> **<b>** 'q' & [a](javascript:1)`;
    const html = notesSections({ [evil]: evil, list: [evil], sections: [{ text: evil }] })
      .flatMap((section) => section.html)
      .join("");
    const tags = new Set(html.match(/<[^>]*>/g));
    for (const tag of tags) expect(tag).toMatch(/^<\/?(?:p|ul|li|h3|strong)>$/);
    expect(html).toContain("&lt;script&gt;");
    expect(html).toContain("&quot;x&quot;");
  });
  it("are bounded in depth and in what one element holds", () => {
    let deep: unknown = "bottom";
    for (let level = 0; level < 50; level += 1) deep = { level: deep, [`at${level}`]: "here" };
    expect(JSON.stringify(notesSections(deep)).length).toBeLessThan(1000);
    for (const long of ["x".repeat(100_000), times(5000).map((index) => `item ${index}`)]) {
      const html = notesSections(long).flatMap((section) => section.html);
      expect(html.length).toBeGreaterThan(10);
      for (const element of html) expect(element.length).toBeLessThan(10_000);
    }
  });
  it.each([
    [12.5, 12.5],
    ["1:02", 62],
    ["1:00:01", 3601],
    [-1, undefined],
    [Number.NaN, undefined],
    ["soon", undefined],
  ])("are at %s", (start, sec) => {
    expect(notesSections([{ text: "x", start }])[0]?.startSec).toBe(sec);
  });
});

it("shortens at a word, and never within a character", () => {
  expect(shorten(" a  few\nwords here ", 12)).toBe("a few words…");
  expect(shorten("x".repeat(10), 10)).toBe("x".repeat(10));
  expect(shorten(`${"x".repeat(8)}😀y`, 10)).toBe(`${"x".repeat(8)}…`);
});

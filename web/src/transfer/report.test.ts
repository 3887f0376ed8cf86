import { describe, expect, it } from "vitest";
import { reportLines } from "./report";

describe("reports", () => {
  it("tell of an import", () => {
    const result = {
      images: {
        found: 5,
        added: 3,
        known: 1,
        moved: 0,
        duplicates: [{ path: "b.jpg", same_as: "a.jpg" }],
        refused: [{ path: "x.jpg", reason: "truncated" }],
        skipped: [],
      },
      labels: {
        field: "ground_truth",
        labels: 12,
        missing: ["q.jpg"],
        report: {
          problems: [
            {
              severity: "skipped",
              reason: "box outside",
              count: 2,
              examples: [{ file: "a.json", where: "7", detail: "x" }],
            },
          ],
        },
      },
      notes: ["Two formats fit; COCO was taken."],
    };
    const { headline, lines } = reportLines({ kind: "import", result });
    expect(headline).toBe("3 images added, 1 image known before, 12 labels into ground_truth");
    expect(lines.map((line) => [line.tone, line.text, line.count])).toEqual([
      ["skipped", "cannot be read as an image", 1],
      ["note", "same content as another file", 1],
      ["skipped", "labels name an image that is not here", 1],
      ["skipped", "box outside", 2],
      ["note", "Two formats fit; COCO was taken.", 1],
    ]);
    expect(lines[3]?.examples).toEqual(["a.json (7) x"]);
  });

  it("tell of an export", () => {
    const result = { format: "coco", images: 4, labels: 9, problems: [], out: "" };
    expect(reportLines({ kind: "export", result })).toEqual({
      headline: "9 labels on 4 images written",
      lines: [],
    });
  });

  it("survive results they do not know", () =>
    expect(reportLines({ kind: "import", result: null }).headline).toBe("0 images added"));
});
